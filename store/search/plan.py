"""The query plan of a filter: which index ranges to scan, and which residual predicates to test on each row.

A list is the union of ordered ranges, each along one index: an IN would make the database sort, or scan, everything. Tenants,
initiators, types and outcomes select ranges. What no index serves (words, failure codes, negations) is tested on at most SCAN rows;
how far back they reach is `scanned_to` of the answer. So no filter costs more than a bounded scan.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from store.model.records import Outcome
from store.search.filter import FilterStatus, Terms, TimeBound

#: The maximum number of rows tested with a residual predicate.
SCAN: Final = 1_500
#: The same when words are searched for, which takes longer a row.
SCAN_FOR_WORDS: Final = 300
#: Above this many index ranges, planning costs more than it saves; the filter becomes a residual predicate.
MAX_RANGES: Final = 200
ALL: Final = tuple(Outcome)
#: The outcomes of runs that can be acknowledged.
ACKNOWLEDGEABLE: Final = (Outcome.PARTIALLY_SUCCEEDED, Outcome.FAILED)
NOTHING: Final = Terms()


@dataclass(frozen=True, slots=True)
class IndexRange:
    """One range of an index: a tenant's runs, optionally those of one initiator or of one type, with one outcome or any (None)."""

    tenant_id: int
    outcome: Outcome | None = None
    #: None for any initiator; (None,) for the system.
    user: tuple[int | None] | None = None
    type: str | None = None
    #: Only runs that have failures.
    failures: bool = False


@dataclass(frozen=True, slots=True)
class QueryPlan:
    """A filter with every name looked up. It compares equal from poll to poll, so that its statements are cached."""

    ranges: tuple[IndexRange, ...]
    since: TimeBound
    before: TimeBound | None = None
    ids: tuple[int, ...] = ()
    retry_of: tuple[int, ...] = ()
    #: Whether runs are held; None for both. It goes with the index ranges of active runs, which are few, so it bounds no scan.
    held: bool | None = None
    #: Whether runs are acknowledged; None for both. Ranges of failed runs have indexes of their own for it; others are tested.
    acknowledged: bool | None = None
    #: The residual predicates.
    outcomes: tuple[Outcome, ...] = ALL
    statuses: tuple[FilterStatus, ...] = ()
    users: tuple[int | None, ...] | None = None
    types: tuple[str, ...] | None = None
    codes: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    without: Terms = NOTHING
    without_users: tuple[int | None, ...] = ()

    @property
    def has_residual(self) -> bool:
        """Whether rows must be tested with a residual predicate: then the scan is bounded."""
        asked = (self.statuses, self.codes, self.words, self.without_users, self.without != NOTHING)
        return (
            any(asked)
            or self.tests_acknowledged
            or self.users is not None
            or self.types is not None
            or self.outcomes != ALL
        )

    @property
    def tests_acknowledged(self) -> bool:
        """Whether `acknowledged` is a residual predicate: some range has runs of every outcome, so no index serves it."""
        return self.acknowledged is not None and any(range_.outcome is None for range_ in self.ranges)

    @property
    def scan(self) -> int:
        """The maximum number of rows tested with a residual predicate."""
        return min(SCAN, SCAN_FOR_WORDS) if self.words or self.without.words else SCAN

    def with_outcomes(self, outcomes: Iterable[Outcome]) -> QueryPlan:
        """The plan narrowed to these outcomes, with index ranges for each."""
        chosen = tuple(outcomes)
        ranges = {
            replace(range_, outcome=outcome)
            for range_ in self.ranges
            for outcome in chosen
            if range_.outcome in (None, outcome) and outcome in self.outcomes
        }
        return replace(self, ranges=tuple(sorted(ranges, key=repr)), outcomes=ALL)
