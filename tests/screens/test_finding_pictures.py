"""Pictures of the groups of failed runs, of views and of the filter's line. Look at them when they change."""

from __future__ import annotations

import datetime as dt

from store.search.failure_groups import Group, Groups
from store.search.keyset import Cursor
from store.search.pages import Order
from store.search.saved_views import SavedView
from tests.screens.conftest import HOSTILE, FakeBackend, ago
from tests.screens.pictures import Picture
from tests.screens.test_pictures import MANY


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
    assert picture(FakeBackend(MANY, groups=Groups(many, reached)), "F", "j", in_ascii=True)


def test_groups_of_which_there_are_none(picture: Picture) -> None:
    assert picture(FakeBackend(MANY), "F")


def test_groups_that_are_hostile(picture: Picture) -> None:
    assert picture(FakeBackend(MANY, groups=Groups((a_group(2, HOSTILE, HOSTILE, HOSTILE), *GROUPS))), "F")


VIEWS = [
    SavedView("failed tonight", "outcome:failed since:8h", "Failed"),
    SavedView("what takes long", "type:inventory.*", order=Order.DURATION),
    SavedView("everything"),
    SavedView("x" * 40, 'type:inventory.* tenant:contoso -code:graph.throttled since:7d by:"Ann Alba" mine', "Partial"),
]


def test_views(picture: Picture) -> None:
    assert picture(FakeBackend(MANY, kept=VIEWS), "V", in_ascii=True)


def test_views_of_which_there_are_none(picture: Picture) -> None:
    assert picture(FakeBackend(MANY), "5", "V")


def test_filter_line_with_names(picture: Picture) -> None:
    assert picture(FakeBackend(MANY), "slash")


def test_filter_line_with_a_suggestion(picture: Picture) -> None:
    assert picture(FakeBackend(MANY), "slash", *"code:gr", in_ascii=True)
