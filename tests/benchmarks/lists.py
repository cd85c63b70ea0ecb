"""What the list of runs costs at ten thousand runs and at a million: the whole poll as the screens ask it, and the page alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
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
            yield _compare(f"{kind}: poll as the screens open ({sizes} runs)", _poll("All", ""), many, few)
            yield _compare(f"{kind}: page of {WINDOW} alone", _page, many, few)
            for name, view in VIEWS.items():
                yield _compare(f"{kind}: poll, {name}", _poll(*view), many, few)


def _poll(tab: str, terms: str) -> Query:
    return partial(_take, tab=tab, terms=terms)


def _take(db: Database, tab: str, terms: str) -> object:
    request = snapshot.Request(access.find_user(db, me()).id, parse(terms.split()), tab, WINDOW)
    return snapshot.take(db, request)


def _page(db: Database) -> object:
    with db.reading() as connection:
        user_id = 1
        members = access.read_memberships(connection, user_id)
        return queries.page(connection, members, user_id, parse(()), WINDOW)


def _compare(measure: str, query: Query, many: Database, few: Database) -> Line:
    for _ in range(WARM_UP):
        query(many), query(few)
    slow, quick = [], []
    for _ in range(REPETITIONS):
        quick.append(_timed(query, few))
        slow.append(_timed(query, many))
    shown = f"{_ms(slow)} and {_ms(quick)}"
    return ratio_line(measure, slow, quick, shown, GOAL)


def _timed(query: Query, db: Database) -> float:
    began = time.perf_counter()
    query(db)
    return time.perf_counter() - began


def _ms(values: list[float]) -> str:
    return f"{1000 * median(values):.1f} ms"
