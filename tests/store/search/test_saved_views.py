"""Named views, and what else is kept for a user: nothing is lost when two terminals of theirs keep something at once."""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.db.engine import Database
from store.errors import FilterInvalid, InputInvalid
from store.model.records import User
from store.people import preferences
from store.search import saved_views
from store.search.filter import parse_line
from store.search.pages import Order
from store.search.saved_views import MOST, SavedView
from tests.support.people import make_user
from tests.support.properties import examples
from tests.support.waiting import HANG

FAILED = SavedView("failed", "outcome:failed since:2h", "Failed", Order.DURATION)


def names(found: tuple[SavedView, ...]) -> list[str]:
    return [view.name for view in found]


def test_a_view_is_kept_as_it_is(db: Database, user: User) -> None:
    assert saved_views.read(db, user.id) == ()
    assert saved_views.save(db, user.id, FAILED) == (FAILED,)
    assert saved_views.read(db, user.id) == (FAILED,)
    assert FAILED.wanted == parse_line("outcome:failed since:2h")
    assert saved_views.read(db, make_user(db).id) == (), "and for nobody else"


def test_one_of_the_same_name_takes_its_place(db: Database, user: User) -> None:
    for name in ("a", "b", "c"):
        saved_views.save(db, user.id, SavedView(name))
    assert saved_views.save(db, user.id, SavedView(" b ", "mine")) == (
        SavedView("a"),
        SavedView("b", "mine"),
        SavedView("c"),
    )


def test_deleting_closes_the_gap(db: Database, user: User) -> None:
    for name in ("a", "b", "c"):
        saved_views.save(db, user.id, SavedView(name))
    assert names(saved_views.delete(db, user.id, "b")) == ["a", "c"]
    assert names(saved_views.delete(db, user.id, "b")) == ["a", "c"], "one that is gone is gone"
    assert names(saved_views.delete(db, make_user(db).id, "a")) == []
    assert names(saved_views.read(db, user.id)) == ["a", "c"]


def test_nine_have_keys_so_nine_are_kept(db: Database, user: User) -> None:
    for number in range(MOST):
        saved_views.save(db, user.id, SavedView(f"view {number}"))
    with pytest.raises(InputInvalid, match="9 views already"):
        saved_views.save(db, user.id, SavedView("one more"))
    assert len(saved_views.save(db, user.id, SavedView("view 3", "mine"))) == MOST
    saved_views.delete(db, user.id, "view 0")
    assert names(saved_views.save(db, user.id, SavedView("one more")))[-1] == "one more"


@pytest.mark.parametrize("name", ["", "  ", "x" * 41, "a\nb", "\x1b[31m", "\u202eabc"])
def test_a_name_that_none_can_be(db: Database, user: User, name: str) -> None:
    with pytest.raises(InputInvalid, match="name"):
        saved_views.save(db, user.id, SavedView(name))
    assert saved_views.read(db, user.id) == ()


def test_terms_that_are_no_filter_are_not_kept(db: Database, user: User) -> None:
    with pytest.raises(FilterInvalid):
        saved_views.save(db, user.id, SavedView("wrong", "status:none"))
    assert saved_views.read(db, user.id) == ()


GOOD = {"name": "good", "terms": "mine", "tab": "All", "order": "created"}


def _store(db: Database, user: User, kept: Any) -> None:
    preferences.change(db, user.id, "views", lambda _: kept)


@pytest.mark.parametrize(
    "kept",
    [
        [],
        [GOOD],
        "views",
        7,
        {},
        {"views": None},
        {"views": 7},
        {"views": "good"},
        {"views": {"name": "good"}},
        {"other": [GOOD]},
    ],
    ids=str,
)
def test_what_is_no_list_of_views_is_none(db: Database, user: User, kept: Any) -> None:
    _store(db, user, kept)
    assert saved_views.read(db, user.id) == ()
    assert names(saved_views.save(db, user.id, SavedView("new"))) == ["new"]


@pytest.mark.parametrize(
    "one",
    [
        None, 7, "good", [], {}, {"name": "x"}, {**GOOD, "tab": "Lost"}, {**GOOD, "order": "by heart"}, {**GOOD, "name": ""},
        {**GOOD, "name": None}, {**GOOD, "terms": ["mine"]}, {**GOOD, "order": None}, {**GOOD, "tab": None}, GOOD,
    ],
    ids=str,
)  # fmt: skip
def test_a_kept_view_that_cannot_be_read_is_left_out(db: Database, user: User, one: Any) -> None:
    _store(db, user, {"views": [GOOD, one]})
    good = SavedView("good", "mine", "All", Order("created"))
    assert saved_views.read(db, user.id) == (good,)
    assert names(saved_views.save(db, user.id, SavedView("new"))) == ["good", "new"]


@given(
    kept=st.recursive(
        st.none() | st.integers(0, 9) | st.text(max_size=3) | st.just(dict(GOOD)),
        lambda part: (
            st.lists(part, max_size=3) | st.dictionaries(st.sampled_from(("views", "name", "x")), part, max_size=3)
        ),
        max_leaves=6,
    )
)
@examples(100)
def test_whatever_is_kept_is_read(kept: Any) -> None:
    found = saved_views._from_json(kept)
    assert all(isinstance(view, SavedView) for view in found)
    assert len(set(names(found))) == len(found)


def test_two_terminals_at_once_lose_nothing(db: Database, user: User) -> None:
    together = threading.Barrier(4)

    def keep(number: int) -> None:
        together.wait(HANG)
        saved_views.save(db, user.id, SavedView(f"view {number}"))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(keep, range(8)))
    assert sorted(names(saved_views.read(db, user.id))) == [f"view {number}" for number in range(8)]


def test_what_was_seen_is_kept_beside_the_views(db: Database, user: User) -> None:
    at = dt.datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=dt.UTC)
    assert preferences.seen_at(db, user.id) is None
    saved_views.save(db, user.id, FAILED)
    preferences.mark_seen(db, user.id, at)
    preferences.mark_seen(db, user.id, at + dt.timedelta(seconds=5))
    assert preferences.seen_at(db, user.id) == at + dt.timedelta(seconds=5)
    assert saved_views.read(db, user.id) == (FAILED,)


@pytest.mark.parametrize("kept", [[], {}, {"at": None}, {"at": 7}, {"at": "yesterday"}, "x"], ids=str)
def test_an_instant_that_cannot_be_read_was_never(db: Database, user: User, kept: Any) -> None:
    preferences.change(db, user.id, "seen", lambda _: kept)
    assert preferences.seen_at(db, user.id) is None
