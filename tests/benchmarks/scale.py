"""How much the measures do: FULL is what docs/measurements.md tells of, TINY only shows that everything still works."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self


@dataclass(frozen=True)
class Scale:
    """Numbers and seconds, by the measure that they belong to."""

    #: Runs in the large databases, in the small ones, and in that of `tenfold`.
    large: int
    small: int
    huge: int

    # throughput: repetitions, and the executions in each: some seconds of each side
    repetitions: int
    opsmon_runs: int
    huey_runs: int
    warm_up_runs: int

    # sizes, filters, tenfold: polls of each request; one filter of so many is measured
    polls: int
    warm_up_polls: int
    one_filter_of: int

    # paint: the warm-up fills the caches; seconds after the last paint until the memory is looked at, some polls later
    paints: int
    warm_up_paints: int
    after_paint: float

    # idle: the worker rests between two starts for one to two times so many seconds
    starts: int
    rest: float

    # refused: starts, and the seconds that the queue has to take a message
    refusals: int
    queue_seconds: float

    # frozen: seconds of looking on before and in the frost, round trips of so many rows, seconds between two keys
    before_frost: float
    in_frost: float
    round_trips: int
    rows_down: int
    between_keys: float

    # sent, work: seconds in which nothing is done before polls are looked at, and so long they are; then changes, with
    # seconds for a poll to see each; seconds over which processor time is measured
    quiet: float
    look: float
    changes: int
    seen_after: float
    work: float

    # pages: runs that are paged through, and pages from one look at the memory to the next
    paged_runs: int
    pages_between_looks: int

    # sessions: only when they have polled for a while has every connection planned its statements
    sessions: int
    processes: int
    planning: float
    polling: float

    # bulk
    retried_runs: int
    reading_on: float

    # syncs: policies of the simulated tenant, repetitions of each sync, and the seconds of a service that is not beside us
    policies: int
    syncs: int
    answer: float

    # groups: that are read, that are searched in, and repetitions of what is typed
    groups: int
    searched_groups: int
    searches: int

    def holding(self, runs: int) -> Self:
        """The same with so many runs in the large databases, a hundredth of them in the small ones."""
        return replace(self, large=runs, small=runs // 100, huge=runs * 10)


FULL = Scale(
    large=1_000_000, small=10_000, huge=10_000_000,
    repetitions=7, opsmon_runs=1000, huey_runs=2000, warm_up_runs=100,
    polls=60, warm_up_polls=8, one_filter_of=1,
    paints=11, warm_up_paints=1, after_paint=3.0,
    starts=15, rest=1.0, refusals=2, queue_seconds=3.0,
    before_frost=2.0, in_frost=4.0, round_trips=6, rows_down=10, between_keys=0.15,
    quiet=4.0, look=12.0, changes=5, seen_after=1.3, work=25.0,
    paged_runs=100_000, pages_between_looks=250,
    sessions=200, processes=2, planning=15.0, polling=20.0,
    retried_runs=5_000, reading_on=0.1,
    policies=1_000, syncs=5, answer=0.02, groups=20_000, searched_groups=100_000, searches=3,
)  # fmt: skip

#: As little as every statement and every key needs to be used once. All databases of a kind are one.
TINY = Scale(
    large=300, small=300, huge=300,
    repetitions=1, opsmon_runs=4, huey_runs=4, warm_up_runs=1,
    polls=1, warm_up_polls=0, one_filter_of=8,
    paints=1, warm_up_paints=0, after_paint=0.0,
    starts=1, rest=0.0, refusals=1, queue_seconds=0.2,
    before_frost=0.0, in_frost=0.0, round_trips=1, rows_down=2, between_keys=0.0,
    quiet=0.0, look=1.0, changes=1, seen_after=0.0, work=0.1,
    paged_runs=100, pages_between_looks=1,
    sessions=2, processes=1, planning=0.0, polling=1.0,
    retried_runs=3, reading_on=0.0,
    policies=30, syncs=1, answer=0.001, groups=300, searched_groups=500, searches=1,
)  # fmt: skip
