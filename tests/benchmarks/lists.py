"""What the list of runs costs at ten thousand runs and at a million: the whole poll as the screens ask it, and the page alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial

from screens.monitor import WINDOW
from store import access, queries, snapshot
from store.database import Database
from store.filters import parse
from tests.benchmarks.report import Line, median, ratio_line, say
from tests.benchmarks.stage import KINDS, Stage, me, opened

REPETITIONS = 60
WARM_UP = 8
GOAL = 1.5

Query = Callable[[Database], object]

#: What people look at beside the list as it opens: a tab or a filter, as they write it.
VIEWS: dict[str, tuple[str, str]] = {
    "tab Active": ("Active", ""),
    "tab Failed": ("Failed", ""),
    "mine": ("All", "mine"),
    "tenant:woodgrove": ("All", "tenant:woodgrove"),
    "type:restore.execute": ("All", "type:restore.execute"),
    "type:restore.*": ("All", "type:restore.*"),
    "type:nothing.*": ("All", "type:nothing.*"),
    "mine outcome:failed": ("All", "mine outcome:failed"),
}


def measure(stage: Stage) -> Iterator[Line]:
    sizes = " and ".join(f"{size:,}" for size in sorted(stage.sizes))
    for kind in KINDS:
        say(f"{kind}: filling databases with {sizes} runs")
        large, small = (stage.loaded(kind, size) for size in stage.sizes)
        with opened(large) as many, opened(small) as few:
            user_id = access.find_user(many, me()).id
            assert user_id == access.find_user(few, me()).id
            measure = f"{kind}: poll as the screens open, at {stage.sizes[0]:,} against {stage.sizes[1]:,} runs"
            yield _compare(measure, _poll(user_id, "All", ""), many, few, GOAL)
            yield _compare(f"{kind}: the page of {WINDOW} alone", partial(_page, user_id=user_id), many, few, GOAL)
            for name, view in VIEWS.items():
                yield _compare(f"{kind}: poll with {name}", _poll(user_id, *view), many, few, None)


def _poll(user_id: int, tab: str, terms: str) -> Query:
    request = snapshot.Request(user_id, parse(terms.split()), tab, WINDOW)
    return lambda db: snapshot.take(db, request)


def _page(db: Database, user_id: int) -> object:
    with db.reading() as connection:
        members = access.read_memberships(connection, user_id)
        return queries.page(connection, members, user_id, parse(()), WINDOW)


def _compare(measure: str, query: Query, many: Database, few: Database, goal: float | None) -> Line:
    say(measure)
    for _ in range(WARM_UP):
        query(many)
        query(few)
    slow, quick = [], []
    for _ in range(REPETITIONS):
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
