"""Failed runs in groups, against a grouping that is made by hand."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.db.engine import Database
from store.model.records import Failure, Outcome, Run, Tenant, User
from store.people import access
from store.people.access import Role
from store.runs.seeding import SeedRun, seed_runs
from store.search import failure_groups, pages, tabs
from store.search.failure_groups import Group, Groups
from store.search.filter import RunFilter, parse_line
from store.search.resolve import resolve_filter
from tests.support.people import make_tenant, make_user
from tests.support.properties import examples

_numbers = itertools.count(1)
CODES = ("graph.throttled", "graph.forbidden", "x.y", "odd*code", "x", "two words")
TYPES = ("a.sync", "a.sync.more", "b.run")


def grouped(db: Database, user: User, line: str = "") -> Groups:
    return of_filter(db, user, parse_line(line))


def of_filter(db: Database, user: User, wanted: RunFilter) -> Groups:
    with db.read() as connection:
        return failure_groups.read(connection, access.read_memberships(connection, user.id), user.id, wanted)


def a_failed_run(tenant: Tenant, *codes: str, type_: str = "a.sync", age: float = 3600, **changed: object) -> SeedRun:
    failures = tuple(Failure(code, f"{code} says no") for code in codes)
    return SeedRun(tenant.id, type_, changed.pop("outcome", Outcome.FAILED), age, failures=failures, **changed)  # type: ignore[arg-type]


def members(db: Database, user: User, wanted: RunFilter) -> list[Run]:
    with db.read() as connection:
        of = access.read_memberships(connection, user.id)
        narrowed = tabs.on_tab(wanted, "Failed")
        assert narrowed
        return list(pages.page(connection, resolve_filter(connection, of, user.id, narrowed), 500).runs)


def test_no_runs_no_groups(db: Database, tenant: Tenant, user: User) -> None:
    assert grouped(db, user) == Groups()
    seed_runs(db, [a_failed_run(tenant, outcome=Outcome.SUCCEEDED), a_failed_run(tenant)])
    assert grouped(db, user) == Groups(), "a run without failures has no code to be grouped by"


def test_each_code_of_a_run_counts_it_once(db: Database, tenant: Tenant, user: User) -> None:
    seed_runs(
        db,
        [
            a_failed_run(tenant, "x.y", "graph.throttled", age=9000),
            a_failed_run(tenant, "x.y", "x.y", age=7000),
            a_failed_run(tenant, "x.y", type_="b.run", age=5000),
            a_failed_run(tenant, "x.y", outcome=Outcome.PARTIALLY_SUCCEEDED),
            a_failed_run(make_tenant(db), "x.y"),
        ],
    )
    found = grouped(db, user)
    assert [(one.type, one.code, one.count, one.message) for one in found.groups] == [
        ("a.sync", "x.y", 2, "x.y says no"),
        ("a.sync", "graph.throttled", 1, "graph.throttled says no"),
        ("b.run", "x.y", 1, "x.y says no"),
    ]
    assert found.scanned_to is None
    largest = found.groups[0]
    assert 1990 < (largest.last_at - largest.first_at).total_seconds() < 2010


def test_upper_and_lower_case_differ_with_and_without_stars(db: Database) -> None:
    tenant = make_tenant(db)
    user = make_user(db, **{tenant.slug: Role.READONLY})
    seed_runs(db, [a_failed_run(tenant, "Graph.throttled")])
    for line, number in (("code:Graph.*", 1), ("code:graph.*", 0), ("code:graph.throttled", 0)):
        assert len(members(db, user, parse_line(line))) == number, line
        assert len(of_filter(db, user, parse_line(line)).groups) == number, line


@given(
    runs=st.lists(
        st.tuples(
            st.sampled_from(TYPES),
            st.lists(st.sampled_from(CODES), max_size=3),
            st.sampled_from((Outcome.FAILED, Outcome.FAILED, Outcome.SUCCEEDED)),
        ),
        max_size=12,
    ),
    line=st.sampled_from(
        ("", "type:a.*", "code:graph.*", "code:graph.*,x.y type:a.*", "-code:graph.throttled", "-type:b.run")
    ),
)
@examples(15)
def test_the_same_groups_as_made_by_hand(db: Database, runs: list[tuple[str, list[str], Outcome]], line: str) -> None:
    tenant = make_tenant(db, f"groups-{next(_numbers)}")
    user = make_user(db, f"user-{next(_numbers)}", **{tenant.slug: Role.READONLY})
    seed_runs(db, [a_failed_run(tenant, *codes, type_=type_, outcome=outcome) for type_, codes, outcome in runs])
    wanted = parse_line(line)
    expected: dict[tuple[str, str], set[int]] = {}
    for run in members(db, user, wanted):
        for failure in run.failure_summary:
            if not wanted.codes or any(_like(failure.code, glob) for glob in wanted.codes):
                expected.setdefault((run.type, failure.code), set()).add(run.id)
    found = of_filter(db, user, wanted).groups
    assert {(one.type, one.code): one.count for one in found} == {key: len(ids) for key, ids in expected.items()}
    assert [one.count for one in found] == sorted((one.count for one in found), reverse=True)
    for one in found:
        if "*" not in one.code:
            ids = {run.id for run in members(db, user, failure_groups.narrow_to(wanted, one))}
            assert ids == expected[one.type, one.code], "the filter of a group leaves its runs, and no others"


def _like(code: str, glob: str) -> bool:
    return code.startswith(glob[:-1]) if glob.endswith("*") else code == glob


def test_only_the_newest_are_grouped_and_it_says_how_far_back(
    db: Database, tenant: Tenant, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failure_groups, "GROUPED", 4)
    seed_runs(db, [a_failed_run(tenant, "x.y", age=10_000 - number) for number in range(9)])
    found = grouped(db, user)
    assert [one.count for one in found.groups] == [4]
    assert found.scanned_to
    assert found.scanned_to.created_at == found.groups[0].first_at


def test_a_tenant_that_one_is_no_member_of_has_no_groups(db: Database, tenant: Tenant, user: User) -> None:
    seed_runs(db, [a_failed_run(tenant, "x.y")])
    assert grouped(db, make_user(db)) == Groups()
    assert grouped(db, user, "tenant:nowhere") == Groups()
    assert len(grouped(db, user, f"tenant:{tenant.slug}").groups) == 1


def test_a_message_is_one_of_the_groups(db: Database, tenant: Tenant, user: User) -> None:
    failures = [(Failure("x.y", message),) for message in ("one", "another")]
    seed_runs(db, [SeedRun(tenant.id, "a.sync", Outcome.FAILED, 60, failures=some) for some in failures])
    (found,) = grouped(db, user).groups
    assert isinstance(found, Group)
    assert found.message in ("one", "another")
