"""How a filter is carried out: which index ranges are scanned, and which residual predicates each row is tested with.

A list is the union of ordered walks, each along one index: an IN would make the database sort, or walk, everything. Tenants,
initiators, types and outcomes drive. What no index knows (words, failure codes, negations) is asked of the runs on the way,
and of no more than SCAN of them: how far back that was is part of the answer. So no filter costs more than a bounded walk.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from store.model.records import Outcome, Status
from store.search.filter import Terms, TimeBound

#: At most so many runs are looked at for what no index knows.
SCAN: Final = 1_500
#: Of these, when words are looked for in them: that takes longer.
SCAN_FOR_WORDS: Final = 300
#: More parts than this are not worth their planning; the filter is then asked of each run on the way.
MAX_PARTS: Final = 200
ALL: Final = tuple(Outcome)
NOTHING: Final = Terms()


@dataclass(frozen=True, slots=True)
class IndexRange:
    """One walk: a tenant's runs, those of one initiator or of one type, with one outcome, or any (None)."""

    tenant_id: int
    outcome: Outcome | None = None
    #: (None,) is the system.
    user: tuple[int | None] | None = None
    type: str | None = None
    #: Only runs with failures.
    failures: bool = False


@dataclass(frozen=True, slots=True)
class QueryPlan:
    """A filter with every name looked up. The same for every poll, so that its statements can be kept."""

    parts: tuple[IndexRange, ...]
    since: TimeBound
    before: TimeBound | None = None
    ids: tuple[int, ...] = ()
    retry_of: tuple[int, ...] = ()
    #: What is asked of each run on the way.
    outcomes: tuple[Outcome, ...] = ALL
    statuses: tuple[Status, ...] = ()
    users: tuple[int | None, ...] | None = None
    types: tuple[str, ...] | None = None
    codes: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    without: Terms = NOTHING
    without_users: tuple[int | None, ...] = ()

    @property
    def has_residual(self) -> bool:
        """Whether there is anything to ask of each run on the way: then the walk has a bound."""
        asked = (self.statuses, self.codes, self.words, self.without_users, self.without != NOTHING)
        return any(asked) or self.users is not None or self.types is not None or self.outcomes != ALL

    @property
    def scan(self) -> int:
        """How many runs are looked at, at most, for what no index knows."""
        return min(SCAN, SCAN_FOR_WORDS) if self.words or self.without.words else SCAN

    def with_outcomes(self, outcomes: Iterable[Outcome]) -> QueryPlan:
        """Narrowed to these outcomes, each with its parts."""
        chosen = tuple(outcomes)
        parts = {
            replace(part, outcome=outcome)
            for part in self.parts
            for outcome in chosen
            if part.outcome in (None, outcome) and outcome in self.outcomes
        }
        return replace(self, parts=tuple(sorted(parts, key=repr)), outcomes=ALL)
