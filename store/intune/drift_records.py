"""What a drift report and its findings are."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """A change of a policy."""

    kind: str
    #: The policy's id in Microsoft Graph, and its name, the newer one.
    external_id: str
    policy_name: str
    #: One of CHANGES: the policy was `added` or `removed`, a value `modified`, an `assignment` changed, or an `order`.
    change: str
    #: Where in the policy; empty for the policy as a whole.
    path: str = ""
    #: As JSON; None: it was not there.
    old: Any = None
    new: Any = None
    #: For people, where old and new alone say little; empty otherwise.
    words: str = ""

    @property
    def fingerprint(self) -> str:
        """Equal for findings of the same change of the same policy, whichever run found it and whatever was there before:
        what is accepted is what the policy has become.
        """
        what = [self.kind, self.external_id, self.change, self.path, self.new]
        return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class KindCompared:
    """What was compared of a kind, or why nothing was."""

    kind: str
    #: Empty if it was compared.
    reason: str = ""
    policies: int = 0
    findings: int = 0
    #: The instants of the two sides.
    before: dt.datetime | None = None
    after: dt.datetime | None = None

    def as_json(self) -> dict[str, Any]:
        """As the report's record has it."""
        if self.reason:
            return {"kind": self.kind, "reason": self.reason}
        instants = {"before": self.before and self.before.isoformat(), "after": self.after and self.after.isoformat()}
        return {"kind": self.kind, "policies": self.policies, "findings": self.findings, **instants}

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> KindCompared:
        """From the report's record; what it does not say is empty."""
        numbers = (given.get("policies"), given.get("findings"))
        policies, findings = (one if isinstance(one, int) else 0 for one in numbers)
        before, after = _instant(given.get("before")), _instant(given.get("after"))
        return cls(str(given.get("kind", "")), str(given.get("reason", "")), policies, findings, before, after)


def day_end(text: str) -> dt.datetime:
    """The end of a day that is written as YYYY-MM-DD, in UTC: until then an acceptance holds whose last day it is.

    Raises ValueError and OverflowError.
    """
    return dt.datetime.combine(dt.date.fromisoformat(text), dt.time(tzinfo=dt.UTC)) + dt.timedelta(days=1)


def _instant(given: object) -> dt.datetime | None:
    try:
        found = dt.datetime.fromisoformat(str(given))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)
