"""What a user looked at last comes back, whatever an older or newer program stored."""

from __future__ import annotations

from typing import Any

import pytest

from store.db.engine import Database
from store.people import preferences
from store.search import last_view
from store.search.last_view import LastView
from store.search.pages import Order
from store.search.saved_views import SavedView
from tests.support import people

LAST = LastView(
    SavedView("", "outcome:failed since:2h", "Failed", Order.DURATION),
    "contoso",
    5.0,
    ("outcome:failed", "mine"),
    "utc",
)


def test_what_was_stored_comes_back_for_its_user_alone(db: Database) -> None:
    people.make_tenant(db, "contoso")
    ann, ron = people.make_user(db, "ann"), people.make_user(db, "ron")
    assert last_view.read(db, ann.id) is None
    last_view.save(db, ann.id, LAST)
    assert last_view.read(db, ann.id) == LAST
    assert last_view.read(db, ron.id) is None
    last_view.save(db, ann.id, LastView())
    assert last_view.read(db, ann.id) == LastView()


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        ({"terms": "nonsense:7 x"}, LastView()),
        ({"terms": 7, "tab": "Old", "order": "size", "tenant": [], "poll_seconds": "x", "history": "y"}, LastView()),
        ({"terms": "mine", "new": {"deep": 1}}, LastView(SavedView("", "mine"))),
        ({"times": "utc"}, LastView(times="utc")),
        ({"times": "lunar"}, LastView()),
        ({"times": ["utc"]}, LastView()),
        ({"terms": "a" * 5000, "poll_seconds": -1}, LastView()),
        ({"terms": "a\nb\x1b[31m", "history": ["x\x07", "mine", None, ""]}, LastView(history=("mine",))),
        (["a list"], None),
        ("text", None),
    ],
)
def test_what_cannot_be_read_is_left_out(db: Database, stored: Any, read: LastView | None) -> None:
    ann = people.make_user(db, "ann")
    preferences.change(db, ann.id, "last_view", lambda _: stored)
    assert last_view.read(db, ann.id) == read


def test_the_history_has_each_filter_once_and_an_end() -> None:
    last = LastView(history=("b", "a"))
    assert last.with_filter("a") == ("a", "b")
    assert last.with_filter("") == ("b", "a")
    many = LastView(history=tuple(str(number) for number in range(last_view.HISTORY)))
    assert len(many.with_filter("new")) == last_view.HISTORY
    assert many.with_filter("new")[0] == "new"


def test_what_was_started_last_comes_first_and_once() -> None:
    last = LastView(started=("b", "a"))
    assert last.with_started("a") == ("a", "b")
    many = LastView(started=tuple(str(number) for number in range(last_view.STARTED)))
    assert many.with_started("new")[0] == "new"
    assert len(many.with_started("new")) == last_view.STARTED
