"""What is read of the runs, compared with a list of all of them, filtered and sorted by hand."""

from __future__ import annotations

import datetime as dt
import fnmatch
import random
from collections.abc import Iterator
from dataclasses import replace

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from store import access, queries, runs
from store.access import Membership, Role
from store.database import Database
from store.errors import NotFound
from store.filters import RunFilter
from store.history import PastRun, insert_past
from store.queries import COUNT_CAP, TABS, Cursor
from store.records import Outcome, Run, Status, Tenant, User
from store.rows import run_columns, run_from
from store.tables import operation_runs, tenants
from tests.conftest import KINDS
from tests.store.properties import examples
from tests.support import databases
from tests.support.people import end_run, make_older, make_tenant, make_user, make_worker, open_run, start_run

HOUR = 3600.0
TYPES = ("inventory.sync", "inventory.sync_all", "restore.execute", "inventory_sync.x", "a%b.c")


class Many:
    """Some hundred runs of four tenants, many of them opened at the same instant, in no order of their ids."""

    def __init__(self, db: Database) -> None:
        self.db = db
        dice = random.Random(7)
        slugs = ("alpha", "beta", "gamma", "delta")
        for slug in slugs:
            make_tenant(db, slug)
        self.user = make_user(db, "alice", alpha=Role.OWNER, beta=Role.OPERATOR, gamma=Role.READONLY)
        other = make_user(db, "bob", alpha=Role.OWNER)
        ids = [member.tenant.id for member in access.memberships_of(db, self.user.id)]
        outcomes = (Outcome.SUCCEEDED, Outcome.PARTIALLY_SUCCEEDED, Outcome.FAILED)
        past = [
            PastRun(
                tenant_id=dice.choice([*ids, max(ids) + 1]),
                type=dice.choice(TYPES),
                outcome=dice.choice(outcomes),
                age=dice.choice([1, 2, 2, 4, 30, 100, 1000]) * HOUR,
                user_id=dice.choice([self.user.id, other.id, None]),
            )
            for _ in range(300)
        ]
        insert_past(db, past)
        by_id = {member.tenant.id: member.tenant for member in access.memberships_of(db, self.user.id)}
        for number in range(24):
            start = start_run if number % 2 else open_run
            run = start(db, by_id[dice.choice(ids)], dice.choice([self.user, None]))
            make_older(db, operation_runs, run.id, "created_at", dice.choice([0.0, 2 * HOUR, 2 * HOUR]))
        query = sa.select(*run_columns()).join(tenants, tenants.c.id == operation_runs.c.tenant_id)
        with db.reading() as connection:
            found = [run_from(dict(row)) for row in connection.execute(query).mappings()]
        self.all = sorted(found, key=lambda run: (run.created_at, run.id), reverse=True)
        self.memberships = access.memberships_of(db, self.user.id)

    def wanted(self, of: tuple[Membership, ...], wanted: RunFilter) -> list[Run]:
        """By hand, newest first."""
        visible = {member.tenant.slug for member in of if not wanted.tenants or member.tenant.slug in wanted.tenants}
        since = dt.datetime.now(dt.UTC) - wanted.since
        return [
            replace(run, context=None)
            for run in self.all
            if run.tenant in visible
            and run.created_at > since
            and (not wanted.statuses or run.status in wanted.statuses)
            and (not wanted.outcomes or run.outcome in wanted.outcomes)
            and (not wanted.types or any(fnmatch.fnmatchcase(run.type, glob) for glob in wanted.types))
            and (not wanted.mine or run.user_id == self.user.id)
        ]


@pytest.fixture(scope="module", params=KINDS)
def many(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Many]:
    if request.param == "sqlite":
        template = request.getfixturevalue("sqlite_template")
        url = databases.copy_sqlite(template, tmp_path_factory.mktemp("queries") / "database")
    else:
        url = request.getfixturevalue("modules_postgres_url")
    db = Database(url)
    yield Many(db)
    db.close()


GLOBS = (*TYPES, "inventory.*", "*", "*sync*", "*.x", "a%*", "nothing.here", "inventory_*")
some = st.lists(st.sampled_from(GLOBS), max_size=2)
filters = st.builds(
    RunFilter,
    statuses=st.lists(st.sampled_from(Status), max_size=2, unique=True).map(tuple),
    outcomes=st.lists(st.sampled_from(Outcome), max_size=2, unique=True).map(tuple),
    types=some.map(tuple),
    tenants=st.lists(st.sampled_from(["alpha", "beta", "gamma"]), max_size=2, unique=True).map(tuple),
    since=st.sampled_from([dt.timedelta(hours=hours) for hours in (0.5, 1.5, 3, 50, 24 * 30, 24 * 36_500)]),
    mine=st.booleans(),
)


@examples(80)
@given(wanted=filters, limit=st.integers(1, 40), start=st.integers(0, 30))
def test_a_page_is_a_slice_of_all_that_is_wanted(many: Many, wanted: RunFilter, limit: int, start: int) -> None:
    """From the top, and behind any run, whatever ties there are."""
    everything = many.wanted(many.memberships, wanted)
    start = min(start, len(everything))
    behind = Cursor(everything[start - 1].created_at, everything[start - 1].id) if start else None
    with many.db.reading() as connection:
        found = queries.page(connection, many.memberships, many.user.id, wanted, limit, behind)
    assert list(found) == everything[start : start + limit]


@pytest.mark.parametrize("size", [3, 50])
def test_page_by_page_every_run_comes_once(many: Many, size: int) -> None:
    wanted, behind, found = RunFilter(since=dt.timedelta(days=99)), None, list[Run]()
    while True:
        with many.db.reading() as connection:
            page = queries.page(connection, many.memberships, many.user.id, wanted, size, behind)
        if not page:
            break
        found += page
        behind = Cursor(page[-1].created_at, page[-1].id)
    assert found == many.wanted(many.memberships, wanted)
    assert len({run.created_at for run in found}) < len(found) / 2, "there should be many ties"


@examples(30)
@given(wanted=filters)
def test_counts_are_those_of_the_tabs_lists(many: Many, wanted: RunFilter) -> None:
    everything = many.wanted(many.memberships, wanted)
    expected = {
        tab: sum(not outcomes or run.outcome in outcomes for run in everything) for tab, outcomes in TABS.items()
    }
    with many.db.reading() as connection:
        assert queries.counts(connection, many.memberships, many.user.id, wanted) == expected
        for tab, count in expected.items():
            narrowed = queries.on_tab(wanted, tab)
            page = queries.page(connection, many.memberships, many.user.id, narrowed, 999) if narrowed else ()
            assert len(page) == count, tab


def test_without_tenants_there_is_nothing(many: Many) -> None:
    with many.db.reading() as connection:
        assert queries.page(connection, (), many.user.id, RunFilter(), 10) == ()
        assert queries.counts(connection, (), many.user.id, RunFilter()) == dict.fromkeys(TABS, 0)


def test_a_tenant_that_is_not_ones_own_is_not_found(many: Many) -> None:
    with many.db.reading() as connection:
        for slug in ("delta", "nowhere"):
            with pytest.raises(NotFound, match=f"no tenant '{slug}'"):
                queries.page(connection, many.memberships, many.user.id, RunFilter(tenants=("alpha", slug)), 10)
            with pytest.raises(NotFound):
                queries.counts(connection, many.memberships, many.user.id, RunFilter(tenants=(slug,)))


def test_the_same_question_is_answered_anew(db: Database, tenant: Tenant, user: User) -> None:
    """Statements are kept, answers are not."""
    for number in range(3):
        with db.reading() as connection:
            of = access.read_memberships(connection, user.id)
            assert len(queries.page(connection, of, user.id, RunFilter(), 10)) == number
            assert queries.counts(connection, of, user.id, RunFilter())["All"] == number
        open_run(db, tenant, user)


def test_counts_stop_at_the_cap(db: Database, tenant: Tenant, user: User) -> None:
    insert_past(db, (PastRun(tenant.id, "x.y", Outcome.FAILED, HOUR) for _ in range(COUNT_CAP + 50)))
    other = make_tenant(db, "fabrikam")
    insert_past(db, (PastRun(other.id, "x.y", Outcome.SUCCEEDED, HOUR) for _ in range(COUNT_CAP)))
    access.grant(db, "alice", "fabrikam", Role.READONLY)
    with db.reading() as connection:
        found = queries.counts(connection, access.read_memberships(connection, user.id), user.id, RunFilter())
    assert found == {"All": COUNT_CAP + 1, "Active": 0, "Succeeded": COUNT_CAP, "Partial": 0, "Failed": COUNT_CAP + 1}


# ---- attempts


def attempts(db: Database, run: Run, limit: int = 20) -> list[int]:
    with db.reading() as connection:
        return [found.id for found in queries.attempts(connection, run, limit)]


def test_attempts_are_what_a_run_retries_and_what_retries_it(db: Database, tenant: Tenant) -> None:
    first = end_run(db, open_run(db, tenant))
    second = end_run(db, open_run(db, tenant, retry_of_id=first.id))
    third = end_run(db, open_run(db, tenant, retry_of_id=second.id))
    aside = end_run(db, open_run(db, tenant, retry_of_id=second.id))
    open_run(db, tenant)
    assert attempts(db, first) == [first.id, second.id]
    assert attempts(db, second) == [first.id, second.id, third.id, aside.id]
    assert attempts(db, third) == [first.id, second.id, third.id]


def test_attempts_are_bounded_and_the_newest(db: Database, tenant: Tenant) -> None:
    chain = [end_run(db, open_run(db, tenant))]
    for _ in range(30):
        chain.append(end_run(db, open_run(db, tenant, retry_of_id=chain[-1].id)))
    assert attempts(db, chain[-1]) == [run.id for run in chain[-20:]]
    assert attempts(db, chain[-1], limit=3) == [run.id for run in chain[-3:]]


def test_attempts_stay_in_the_tenant(db: Database, tenant: Tenant) -> None:
    first = end_run(db, open_run(db, make_tenant(db, "fabrikam")))
    second = end_run(db, open_run(db, tenant, retry_of_id=first.id))
    assert attempts(db, second) == [second.id]
    assert attempts(db, first) == [first.id]


# ---- one run


def test_a_twin_is_found_while_it_is_active(db: Database, tenant: Tenant) -> None:
    run = open_run(db, tenant)
    assert runs.active_twin(db, tenant.id, run.run_identity_hash) == run
    running = runs.claim(db, run.id, make_worker(db))
    assert running
    assert runs.active_twin(db, tenant.id, run.run_identity_hash) == running
    assert runs.active_twin(db, tenant.id + 1, run.run_identity_hash) is None
    assert runs.active_twin(db, tenant.id, "another") is None
