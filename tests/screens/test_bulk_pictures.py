"""Pictures of bulk retries, of the groups of failed runs, of views and of the filter's line. Look at them when they change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from screens.bulk_job import BulkRetry, Item, Kind, Phase
from screens.monitor import Monitor
from store.groups import Group, Groups
from store.queries import Cursor, Order
from store.records import Outcome
from store.views import View
from tests.screens.conftest import HOSTILE, Stage, a_run, ago, until
from tests.screens.test_pictures import MANY, PARAMETERS, _see

Picture = Callable[..., bool]


@pytest.fixture(params=PARAMETERS, ids=lambda p: f"{p[0][0]}x{p[0][1]}{'-ascii' if p[1] else ''}")
def picture(request: pytest.FixtureRequest, snap_compare: Callable[..., bool]) -> Picture:
    """Compares what some keys have come to, with a job that stands as it is given, with the picture that is kept."""

    def compare(stage: Stage, *keys: str, job: Callable[[Monitor], BulkRetry] | None = None) -> bool:
        size, ascii_only = request.param
        monitor = Monitor(stage.backend(), ascii_only=ascii_only)

        async def before(pilot: Any) -> None:
            await until(pilot, lambda: monitor.snapshot, "the first snapshot")
            if job:
                monitor.acting.jobs = [job(monitor)]
                await pilot.press("b")
            await _see(pilot, monitor, keys, lambda: monitor._shown_freshness.startswith("live"))

        return snap_compare(monitor, terminal_size=size, run_before=before)

    return compare


def standing(phase: Phase, *items: Item, words: str = "", trouble: str = "") -> Callable[[Monitor], BulkRetry]:
    """A job as it stands at one moment."""

    def make(monitor: Monitor) -> BulkRetry:
        job = BulkRetry(monitor.backend, (), words or f"{len(items)} marked runs", lambda _: None)
        job._items = {item.run_id: item for item in items}
        job.phase, job.trouble = phase, trouble
        return job

    return make


def item(id_: int, kind: Kind, words: str = "", new_id: int | None = None, **changed: Any) -> Item:
    return Item(id_, kind, a_run(id_, Outcome.FAILED, **changed), words, new_id)


DRY = (
    item(990, Kind.ELIGIBLE),
    item(988, Kind.ELIGIBLE, type="system.probe", label="Probe"),
    item(987, Kind.JOINS, "run 995 is active"),
    item(985, Kind.JOINS, "the same as run 990 of this list"),
    item(984, Kind.REFUSED, "you may not start or retry runs in fabrikam", tenant="fabrikam"),
    item(983, Kind.REFUSED, "parameter 'kinds' cannot be 'policies': give a list"),
    Item(982, Kind.REFUSED, None, "not found"),
)
RECEIPTS = (
    item(990, Kind.QUEUED, new_id=1001),
    item(988, Kind.QUEUED, new_id=1002),
    item(987, Kind.ATTACHED, new_id=995),
    item(986, Kind.DISPATCH_FAILED, new_id=1003),
    item(985, Kind.REFUSED, "as readonly of contoso you may not start or retry runs: ask an owner of contoso"),
    item(984, Kind.JOINS, "run 995 is active", 995),
    Item(983, Kind.REFUSED, None, "not found"),
)
NOT_TRIED = (
    item(982, Kind.STOPPED, "the database went away while it was tried"),
    item(981, Kind.STOPPED, "stopped before its turn"),
)
REST = tuple(item(number, Kind.ELIGIBLE) for number in range(980, 900, -1))


def test_bulk_dry_run(picture: Picture) -> None:
    assert picture(Stage(MANY), job=standing(Phase.READY, *DRY))


def test_bulk_dry_run_is_made(picture: Picture) -> None:
    unknown = (Item(number) for number in range(990, 950, -1))
    words = "all 40 that match outcome:failed type:inventory.* since:24h on the tab Failed"
    assert picture(Stage(MANY), job=standing(Phase.REHEARSING, *unknown, words=words))


def test_bulk_under_way(picture: Picture) -> None:
    assert picture(Stage(MANY), "x", job=standing(Phase.RUNNING, *RECEIPTS, *REST))


def test_bulk_waits_for_the_database(picture: Picture) -> None:
    trouble = "waits for the database: the database does not answer: try again"
    assert picture(Stage(MANY), job=standing(Phase.RUNNING, *RECEIPTS, *REST, trouble=trouble))


def test_bulk_hostile(picture: Picture) -> None:
    hostile = Item(999, Kind.REFUSED, a_run(999, label=HOSTILE, tenant=HOSTILE), HOSTILE)
    assert picture(Stage(MANY), job=standing(Phase.STOPPED, hostile, *RECEIPTS, *NOT_TRIED, words=HOSTILE))


def a_group(count: int, code: str, type_: str = "inventory.sync", message: str = "") -> Group:
    return Group(type_, code, count, ago(86400.0 * count), ago(30.0 * count), message or f"{code}: what it said")


GROUPS = (
    a_group(4210, "graph.throttled", message="Microsoft Graph throttled the requests: 429 for /deviceManagement"),
    a_group(97, "graph.forbidden", message="Microsoft Graph refused: the app lacks a permission: scope tags"),
    a_group(12, "operation.error", "restore.execute"),
    a_group(1, "worker.lost", "a_plug_in.with_a_very_long_name"),
)


def test_groups_of_failed_runs(picture: Picture) -> None:
    reached = Cursor(dt.datetime(2026, 2, 11, 8, 30, tzinfo=dt.UTC), 17)
    many = (*GROUPS, *(a_group(1, f"some.code{number}", "system.probe") for number in range(40)))
    assert picture(Stage(MANY, groups=Groups(many, reached)), "F", "j")


def test_groups_of_which_there_are_none(picture: Picture) -> None:
    assert picture(Stage(MANY), "F")


def test_groups_that_are_hostile(picture: Picture) -> None:
    assert picture(Stage(MANY, groups=Groups((a_group(2, HOSTILE, HOSTILE, HOSTILE), *GROUPS))), "F")


VIEWS = [
    View("failed tonight", "outcome:failed since:8h", "Failed"),
    View("what takes long", "type:inventory.*", order=Order.DURATION),
    View("everything"),
    View("x" * 40, 'type:inventory.* tenant:contoso -code:graph.throttled since:7d by:"Ann Alba" mine', "Partial"),
]


def test_views(picture: Picture) -> None:
    assert picture(Stage(MANY, kept=VIEWS), "V")


def test_views_of_which_there_are_none(picture: Picture) -> None:
    assert picture(Stage(MANY), "5", "V")


def test_filter_line_with_names(picture: Picture) -> None:
    assert picture(Stage(MANY), "slash")


def test_filter_line_with_a_suggestion(picture: Picture) -> None:
    assert picture(Stage(MANY), "slash", *"code:gr")
