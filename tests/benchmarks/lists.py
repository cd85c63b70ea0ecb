"""What a poll costs at ten thousand, a million and ten million runs; and every filter term at a million."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from screens.runs import paging
from store import snapshot
from store.db.engine import Database
from store.people import access
from store.search.filter import parse_line
from store.search.keyset import THE_END
from store.search.pages import Order
from tests.benchmarks.report import Line, median, percentile, ratio_line, say
from tests.benchmarks.scale import Scale
from tests.benchmarks.stage import KINDS, Stage, me, opened

GOAL = 1.3
#: Milliseconds that 99 of 100 polls may take, whatever the filter.
FILTER_GOAL = 50.0
#: Lines of a large terminal.
HEIGHT = 38

Query = Callable[[Database], object]

TERMS = (
    "status:running", "status:queued", "status:completed", "outcome:failed", "outcome:succeeded", "outcome:partial",
    "type:restore.execute", "type:inventory.sync", "type:restore.*", "type:nothing.*", "tenant:woodgrove",
    "by:colleague-3", "by:system", "by:colleague-*", "mine", "since:2h", "since:52w", "before:14d", "code:graph.forbidden",
    "code:graph.*", "code:nothing.at.all", "retry-of:17", "id:4711", "forbidden", "no-such-word", "-outcome:succeeded",
    "-type:inventory.sync", "-mine", "-by:system", "-code:graph.*", "-forbidden",
)  # fmt: skip
#: What people ask for together.
PAIRS = (
    "mine outcome:failed", "mine status:running", "mine type:inventory.sync", "type:restore.execute outcome:failed",
    "tenant:woodgrove outcome:failed", "tenant:contoso mine", "outcome:failed code:graph.forbidden",
    "outcome:failed policies/17", "since:2h outcome:failed", "tenant:adatum type:backup_set.create",
)  # fmt: skip


def sizes(stage: Stage) -> Iterator[Line]:
    """The whole poll as the screens open, at sizes a hundred times and a thousand times apart."""
    for kind in KINDS:
        say(f"{kind}: filling databases with runs")
        yield from _against(stage, kind, stage.scale.large)


def tenfold(stage: Stage) -> Iterator[Line]:
    """The same on PostgreSQL with ten times as many."""
    say(f"postgresql: filling a database with {stage.scale.huge:,} runs")
    yield from _against(stage, "postgresql", stage.scale.huge)


def _against(stage: Stage, kind: str, size: int) -> Iterator[Line]:
    scale = stage.scale
    with opened(stage.loaded(kind, size)) as many, opened(stage.loaded(kind, scale.small)) as few:
        user_id = access.find_user(many, me()).id
        assert user_id == access.find_user(few, me()).id
        for name, request in _views(user_id).items():
            measure = f"{kind}: poll, {name}, at {size:,} against {scale.small:,} runs"
            goal = GOAL if name == "as the screens open" else None
            yield _compare(measure, _poll_of(request), many, few, scale, goal)


def _poll_of(request: snapshot.Request) -> Query:
    return lambda db: snapshot.take(db, request)


def _views(user_id: int) -> dict[str, snapshot.Request]:
    top, around = paging.window(None, HEIGHT), paging.window(THE_END, HEIGHT)
    return {
        "as the screens open": snapshot.Request(user_id, limit=top),
        "tab Failed": snapshot.Request(user_id, tab="Failed", limit=top),
        "the oldest runs": snapshot.Request(user_id, cursor=THE_END, limit=around),
        "by duration": snapshot.Request(user_id, order=Order.DURATION),
        "failure groups": snapshot.Request(user_id, groups_of=parse_line(""), limit=top),
    }


def filters(stage: Stage) -> Iterator[Line]:
    """Each term alone and the pairs, at a million runs: 99 of 100 polls."""
    for kind in KINDS:
        with opened(stage.loaded(kind, stage.scale.large)) as db:
            user_id = access.find_user(db, me()).id
            parsed = {line: parse_line(line) for line in (*TERMS, *PAIRS)}
            for line in list(parsed)[:: stage.scale.one_filter_of]:
                request = snapshot.Request(user_id, parsed[line], limit=paging.window(None, HEIGHT))
                yield _filter(kind, db, request, line, stage.scale)


def _filter(kind: str, db: Database, request: snapshot.Request, line: str, scale: Scale) -> Line:
    say(f"{kind}: {line}")
    for _ in range(scale.warm_up_polls):
        snapshot.take(db, request)
    took = [1000 * _timed(_poll_of(request), db) for _ in range(scale.polls)]
    found = snapshot.take(db, request)
    worst = percentile(took, 0.99)
    bounded = ", bounded" if found.counts["All"].at_least and found.page.scanned_to else ""
    value = f"p50 {median(took):.0f} ms, p99 {worst:.0f} ms{bounded}"
    measure = f"{kind}: poll with '{line}', {scale.large:,} runs"
    return Line(measure, value, f"p99 <= {FILTER_GOAL:g} ms", worst <= FILTER_GOAL)


def _compare(measure: str, query: Query, many: Database, few: Database, scale: Scale, goal: float | None) -> Line:
    say(measure)
    for _ in range(scale.warm_up_polls):
        query(many)
        query(few)
    slow, quick = [], []
    for _ in range(scale.polls):
        quick.append(_timed(query, few))
        slow.append(_timed(query, many))
    shown = f"{_ms(slow)} and {_ms(quick)}"
    return ratio_line(measure, slow, quick, shown, goal)


def _timed(query: Query, db: Database) -> float:
    began = time.perf_counter()
    query(db)
    return time.perf_counter() - began


def _ms(values: list[float]) -> str:
    return f"{1000 * median(values):.1f} ms"
