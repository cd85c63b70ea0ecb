"""One row that another version has written, or nobody should have, is told as what it is and hides none of the others."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from store import snapshot
from store.db.engine import Database
from store.errors import InputInvalid
from store.model import lenient
from store.model.records import (
    NO_CODE,
    NO_TIME,
    UNREADABLE,
    UNREADABLE_JSON,
    Counts,
    Failure,
    Outcome,
    Run,
    Tenant,
    User,
)
from store.model.tables import operation_runs, user_settings
from store.people import access, preferences
from store.runs import detail as run_detail
from store.runs.lifecycle import Result
from store.search import counts as tab_counts
from store.search import failure_groups, pages, saved_views
from store.search.filter import parse_line
from store.search.resolve import resolve_filter
from store.snapshot import Request
from store.workers import load
from tasks.sdk.parameters import check_parameters
from tests.support import people
from tests.support.properties import examples

LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)
ANY = st.recursive(
    LEAVES | TEXTS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3)
)
#: Objects with the right keys, other values under them, and keys that nobody knows.
FAILURE = st.fixed_dictionaries(
    {}, optional={"code": TEXTS | ANY, "message": TEXTS | ANY, "count": st.integers(0, 9) | ANY, "since": ANY}
)
COUNTS = st.fixed_dictionaries(
    {}, optional={name: st.integers(0, 9) | ANY for name in ("total", "success", "failed", "skipped", "warned")}
)
CONTEXT = st.fixed_dictionaries({}, optional={"parameters": ANY, "more": ANY})
ROWS = st.fixed_dictionaries(
    {
        "failure_summary": ANY | st.lists(FAILURE | ANY, max_size=3),
        "summary_counts": ANY | COUNTS,
        "context": ANY | CONTEXT,
    }
)
GOOD = (Failure("graph.throttled", "Microsoft Graph throttled the requests", 2), Failure("test.one", "it broke"))
LINES = ("", "code:graph.*", "-code:graph.*", "throttled", "-broke", "é")


def put(db: Database, run: Run, **values: Any) -> None:
    with db.write() as connection:
        connection.execute(sa.update(operation_runs).where(operation_runs.c.id == run.id).values(**values))


def put_text(db: Database, run_id: int, column: str, value: object) -> None:
    """Past all types, as another program would."""
    with db.write() as connection:
        connection.execute(sa.text(f"UPDATE operation_runs SET {column} = :value WHERE id = :id"), {
            "value": value, "id": run_id,
        })  # fmt: skip


def failed(db: Database, tenant: Tenant, user: User) -> Run:
    return people.end_run(db, people.open_run(db, tenant, user), Result(Outcome.FAILED, Counts(3, 0, 3), GOOD))


def everything(db: Database, user: User, odd: Run, line: str = "") -> dict[str, Any]:
    """All that screens and commands read."""
    wanted = parse_line(line)
    with db.read() as connection:
        of = access.read_memberships(connection, user.id)
        listed = pages.page(connection, resolve_filter(connection, of, user.id, wanted), 50).runs
        return {
            "list": listed,
            "counts": tab_counts.counts(
                connection,
                resolve_filter(connection, of, user.id, wanted),
            ),
            "by type": pages.sorted_page(
                connection, resolve_filter(connection, of, user.id, wanted), pages.Order.DURATION, 50
            ).runs,
            "groups": failure_groups.read(connection, of, user.id, wanted).groups,
            "detail": run_detail.read_visible(connection, user.id, odd.id),
            "load": load.read(connection, of, 30.0),
        }


@examples(10)
@given(rows=st.lists(ROWS, min_size=4, max_size=4))
def test_no_json_of_any_shape_hides_the_other_runs(rows: list[dict[str, Any]], request: pytest.FixtureRequest) -> None:
    for url in ("sqlite_url", "postgres_url"):
        db, user, good, odd = town(request, url)
        for one in odd:
            put(db, one, failure_summary=None, summary_counts=None, context=None)
        before = {line: everything(db, user, odd[0], line) for line in LINES}
        for one, values in zip(odd, rows, strict=True):
            put(db, one, **values)
        ids = {one.id for one in odd}
        for line in LINES:
            after = everything(db, user, odd[0], line)
            for name in ("list", "by type"):
                kept = [[run for run in found[name] if run.id not in ids] for found in (before[line], after)]
                assert kept[0] == kept[1]
            assert {(one.type, one.code) for one in before[line]["groups"]} <= {
                (one.type, one.code) for one in after["groups"]
            }
        assert {one.id for one in good} | ids == {run.id for run in everything(db, user, odd[0])["list"]}
        taken = snapshot.take(db, Request(user.id, run_id=odd[0].id, groups_of=parse_line(""), load=True))
        assert taken.detail
        assert taken.detail.run.id == odd[0].id
        assert_as_asked(db, user, {run.id: run for run in taken.runs})


def assert_as_asked(db: Database, user: User, listed: dict[int, Run]) -> None:
    """What is told of a run is what a filter finds it by."""
    told = {failure.code for run in listed.values() for failure in run.failure_summary}
    for code in [*[one for one in told if one.isalnum() and one.isascii()][:3], NO_CODE]:
        with db.read() as connection:
            of = access.read_memberships(connection, user.id)
            found = pages.page(connection, resolve_filter(connection, of, user.id, parse_line(f"code:{code}")), 50).runs
        expected = {run.id for run in listed.values() if code in [failure.code for failure in run.failure_summary]}
        assert {run.id for run in found} == expected


_towns: dict[str, tuple[Database, User, list[Run], list[Run]]] = {}


def town(request: pytest.FixtureRequest, fixture: str) -> tuple[Database, User, list[Run], list[Run]]:
    """One database of each kind for all examples."""
    url = request.getfixturevalue(fixture)
    if url not in _towns:
        db = Database(url)
        request.addfinalizer(db.close)
        request.addfinalizer(_towns.clear)
        tenant = people.make_tenant(db, "contoso")
        user = people.make_user(db, "alice", contoso=access.Role.OPERATOR)
        good = [failed(db, tenant, user), people.end_run(db, people.open_run(db, tenant, user))]
        _towns[url] = db, user, good, [failed(db, tenant, user) for _ in range(4)]
    return _towns[url]


def test_what_is_not_known_is_ignored_and_the_rest_is_told(db: Database, tenant: Tenant, user: User) -> None:
    run = failed(db, tenant, user)
    newer = [{**GOOD[0].as_json(), "since": "2030"}, {"code": "a.b", "message": 5, "count": -1}, 7, {}]
    put(db, run, failure_summary=newer, summary_counts={**Counts(5, 4, 1).as_json(), "warned": 2})
    with db.read() as connection:
        found = access.read_visible_run(connection, user.id, run.id)
    assert found.summary_counts == Counts(5, 4, 1)
    nothing = Failure(NO_CODE, UNREADABLE)
    assert found.failure_summary == (GOOD[0], Failure("a.b", UNREADABLE), nothing, nothing)


@pytest.mark.parametrize(
    "value",
    [{}, {"total": 1}, [], 0, "x", {**Counts(1).as_json(), "failed": True}, {**Counts(1).as_json(), "failed": -1}],
)
def test_counts_of_the_wrong_shape_are_none(value: Any) -> None:
    assert lenient.counts_from(value) is None


@pytest.mark.parametrize("context", [[], 5, "text", {"parameters": []}, {"parameters": "x"}, {"parameters": 0}])
def test_parameters_of_the_wrong_shape_are_taken_by_no_operation(
    db: Database, tenant: Tenant, user: User, context: Any
) -> None:
    run = failed(db, tenant, user)
    put(db, run, context=context)
    with db.read() as connection:
        found = access.read_visible_run(connection, user.id, run.id)
    assert found.parameters == UNREADABLE_JSON
    with pytest.raises(InputInvalid, match="cannot be read"):
        check_parameters((), found.parameters)


@pytest.mark.parametrize("text", ["", "{", "nul", "[1", '"', "NaN", "9" * 5000, "[" * 900 + "]" * 900, '"\\ud800"'])
def test_text_that_is_no_json_hides_nothing_on_sqlite(sqlite_url: str, text: str) -> None:
    db = Database(sqlite_url)
    tenant = people.make_tenant(db, "contoso")
    user = people.make_user(db, "alice", contoso=access.Role.OPERATOR)
    good, odd = failed(db, tenant, user), failed(db, tenant, user)
    for column in ("failure_summary", "summary_counts", "context"):
        put_text(db, odd.id, column, text)
    for line in LINES:
        everything(db, user, odd, line)
    with db.read() as connection:
        of = access.read_memberships(connection, user.id)
        listed = {
            run.id: run
            for run in pages.page(connection, resolve_filter(connection, of, user.id, parse_line("")), 9).runs
        }
        shown = run_detail.read_visible(connection, user.id, odd.id).run
    assert listed[good.id] == replace(good, context=None)
    assert shown.summary_counts is None
    assert shown.context == UNREADABLE_JSON
    db.close()


@pytest.mark.parametrize("instant", ["", "yesterday", "2026-02-30 00:00:00.000", "9999-99", 5, b"\xff", "12:00"])
def test_instants_that_are_none_hide_nothing_on_sqlite(sqlite_url: str, instant: object) -> None:
    db = Database(sqlite_url)
    tenant = people.make_tenant(db, "contoso")
    user = people.make_user(db, "alice", contoso=access.Role.OPERATOR)
    good, odd = failed(db, tenant, user), failed(db, tenant, user)
    for column in ("updated_at", "dispatched_at", "started_at", "completed_at"):
        put_text(db, odd.id, column, instant)
    found = everything(db, user, odd)
    assert {run.id for run in found["list"]} == {good.id, odd.id}
    assert found["detail"].run.started_at == NO_TIME
    put_text(db, odd.id, "created_at", instant)
    assert good.id in {run.id for run in everything(db, user, odd)["list"]}
    db.close()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2026-03-01 12:00:00", "2026-03-01T12:00:00+00:00"),
        ("2026-03-01T12:00:00.5+02:00", "2026-03-01T10:00:00.500000+00:00"),
        ("2026-03-01T12:00Z", "2026-03-01T12:00:00+00:00"),
    ],
)
def test_other_ways_to_write_an_instant_are_read_on_sqlite(sqlite_url: str, text: str, told: str) -> None:
    db = Database(sqlite_url)
    tenant = people.make_tenant(db, "contoso")
    user = people.make_user(db, "alice", contoso=access.Role.OPERATOR)
    run = failed(db, tenant, user)
    put_text(db, run.id, "completed_at", text)
    with db.read() as connection:
        completed_at = access.read_visible_run(connection, user.id, run.id).completed_at
    assert completed_at
    assert completed_at.isoformat() == told
    db.close()


def test_bytes_that_are_no_text_hide_nothing_on_sqlite(sqlite_url: str) -> None:
    db = Database(sqlite_url)
    tenant = people.make_tenant(db, "contoso")
    user = people.make_user(db, "alice", contoso=access.Role.OPERATOR)
    good, odd = failed(db, tenant, user), failed(db, tenant, user)
    with sqlite3.connect(db.url.database or "") as connection:
        connection.execute("UPDATE operation_runs SET label = CAST(x'61ff' AS TEXT) WHERE id = ?", (odd.id,))
    connection.close()
    found = {run.id: run for run in everything(db, user, odd)["list"]}
    assert found[odd.id].label == "a\N{REPLACEMENT CHARACTER}"
    assert found[good.id].label == good.label
    db.close()


@pytest.mark.parametrize("label", [None, "", "x" * 1_000_000, "\x1b[31m\u202e"])
def test_labels_of_any_kind_are_listed(db: Database, tenant: Tenant, user: User, label: str | None) -> None:
    run = failed(db, tenant, user)
    put(db, run, label=label)
    assert [one.label for one in everything(db, user, run)["list"]] == [label]
    assert everything(db, user, run)["list"][0].title == (label or run.type)


@examples(40)
@given(value=ANY)
def test_whatever_is_kept_as_views_is_read(value: Any) -> None:
    saved_views._from_json(value)
    saved_views._from_json({"views": value})
    saved_views._from_json({"views": [{"name": value, "terms": value, "tab": value, "order": value}, value]})


def test_settings_of_the_wrong_shape_are_none(db: Database, user: User) -> None:
    saved_views.save(db, user.id, saved_views.SavedView("mine"))
    preferences.mark_seen(db, user.id, NO_TIME)
    wrong: list[Any] = [[], "x", 5, {"at": 5}, {"at": "soon"}, {"at": []}, {"views": 5}, [{"name": {}}]]
    for value in wrong:
        with db.write() as connection:
            connection.execute(sa.update(user_settings).values(value=value))
        assert saved_views.read(db, user.id) == ()
        assert preferences.seen_at(db, user.id) is None
    with db.write() as connection:
        connection.execute(sa.update(user_settings).values(value={"at": "2026-03-01T12:00:00"}))
    seen = preferences.seen_at(db, user.id)
    assert seen
    assert seen.tzinfo, "or it could not be compared"


@examples(60)
@given(value=ANY)
def test_any_value_is_read_and_what_is_right_is_read_as_it_is(value: Any) -> None:
    assert all(isinstance(one, Failure) for one in lenient.failures_from(value))
    lenient.context_from(value)
    assert lenient.counts_from(value) is None or value is not None
    as_json = json.loads(json.dumps([one.as_json() for one in GOOD]))
    assert lenient.failures_from(as_json) == GOOD
    if isinstance(value, dict):
        assert lenient.context_from(value) == value


def test_what_is_nested_deep_is_cut() -> None:
    value: Any = []
    for _ in range(500):
        value = [value]
    found = lenient.context_from({"a": value})
    assert UNREADABLE in json.dumps(found)


def test_the_database_still_refuses_an_unknown_state(db: Database, tenant: Tenant, user: User) -> None:
    run = failed(db, tenant, user)
    with pytest.raises(IntegrityError):
        put(db, run, outcome="exploded")
