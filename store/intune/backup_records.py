"""What a backup set and its items are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from store.model.tables import COMPLETENESS


@dataclass(frozen=True, slots=True)
class ItemReference:
    """Another object that an item refers to, with the name that it had when the item was read."""

    #: A kind of Intune object, or `groups`.
    kind: str
    #: Its id in Microsoft Graph.
    id: str
    #: None if it was not known: the object was gone, or could not be asked for.
    name: str | None = None


@dataclass(frozen=True, slots=True)
class BackupItem:
    """A policy as it was when it was backed up. It never changes."""

    kind: str
    #: Its id in Microsoft Graph.
    external_id: str
    name: str
    #: Such as `windows10`; None if it has none.
    platform: str | None
    #: As Microsoft Graph gave it, without assignments and annotations.
    body: Mapping[str, Any]
    content_hash: str
    #: Equal for two bodies that mean the same.
    canonical_hash: str
    #: None: they could not be read.
    assignments: Sequence[Mapping[str, Any]] | None
    assignments_hash: str | None
    references: Sequence[ItemReference] = ()
    #: What Graph did not give, as (code, detail); the codes are those of COMPLETENESS.
    gaps: Sequence[tuple[str, str]] = ()

    @property
    def completeness(self) -> str:
        """The worst of its gaps; `whole` if it has none."""
        return max((code for code, _ in self.gaps), key=COMPLETENESS.index, default="whole")


@dataclass(frozen=True, slots=True)
class BackupKind:
    """How far a kind is in a set. A kind that has none was not looked at."""

    kind: str
    #: Objects that were asked for and are there, and those of them that are in the set.
    found: int
    kept: int
    #: Why it could not be read to its end, or not all of it.
    failure_code: str | None = None
    failure_message: str | None = None
    #: Only chosen policies of the kind were asked for.
    narrowed: bool = False

    @property
    def is_complete(self) -> bool:
        """Whether everything that was asked for is in the set."""
        return self.failure_code is None


@dataclass(frozen=True, slots=True)
class NewSet:
    """A backup set to be begun."""

    name: str
    #: What was asked for, as JSON.
    selection: Mapping[str, Any]
    initiator_name: str
    #: `graph` or `import`.
    source: str = "graph"
    #: The schedule that it is made for.
    schedule_id: int | None = None
