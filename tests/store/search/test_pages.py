"""What is read of the runs, compared with a list of all of them, filtered and sorted by hand."""

from __future__ import annotations

import contextlib
import datetime as dt
import random
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from store.db.engine import Database
from store.errors import NotFound
from store.model.records import COUNT_CAP, Count, Failure, Outcome, Run, Status, Tenant, User
from store.model.row_mapping import run_columns, run_from_row
from store.model.tables import operation_runs, tenants
from store.people import access, admin
from store.people.access import Membership, Role
from store.runs import acknowledging, lifecycle
from store.runs import attempts as retry_chain
from store.runs.seeding import SeedRun, seed_runs
from store.search import counts as tab_counts
from store.search import keyset, pages, tabs
from store.search import matching as matching_runs
from store.search.filter import FilterStatus, RunFilter, Terms, parse_line
from store.search.keyset import THE_END, Cursor
from store.search.pages import Order, Page
from store.search.resolve import resolve, resolve_filter
from store.search.tabs import TABS
from tests.conftest import KINDS
from tests.support import databases
from tests.support.people import FAILED, end_run, make_older, make_tenant, make_user, make_worker, open_run, start_run
from tests.support.properties import examples
from tests.support.shared import Shared

HOUR = 3600.0
FAILURES = (
    (),
    (),
    (Failure("graph.throttled", "Throttled (retrying)"),),
    (Failure("graph.forbidden", "Refused: scope tags"), Failure("worker.lost", "The worker has gone")),
    (Failure("x%y", 'odd "words" \\ here'),),
)
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
        other = self.other = make_user(db, "bob", alpha=Role.OWNER)
        ids = [member.tenant.id for member in access.memberships_of(db, self.user.id)]
        outcomes = (Outcome.SUCCEEDED, Outcome.PARTIALLY_SUCCEEDED, Outcome.FAILED)
        past = [
            SeedRun(
                tenant_id=dice.choice([*ids, max(ids) + 1]),
                type=dice.choice(TYPES),
                outcome=dice.choice(outcomes),
                age=dice.choice([1, 2, 2, 4, 30, 100, 1000]) * HOUR,
                user_id=dice.choice([self.user.id, other.id, None]),
                initiator_name=dice.choice(["Alice", "Bob", "System"]),
                label=dice.choice([None, "Sync 100% of it", "Restore"]),
                failures=dice.choice(FAILURES),
            )
            for _ in range(300)
        ]
        seed_runs(db, past)
        self._acknowledge()
        by_id = {member.tenant.id: member.tenant for member in access.memberships_of(db, self.user.id)}
        for number in range(24):
            start = start_run if number % 2 else open_run
            run = start(db, by_id[dice.choice(ids)], dice.choice([self.user, None]))
            make_older(db, operation_runs, run.id, "created_at", dice.choice([0.0, 2 * HOUR, 2 * HOUR]))
        for _ in range(9):
            user = dice.choice([self.user, other, None])
            held = open_run(db, by_id[dice.choice(ids)], user, type="restore.execute", held=True)
            make_older(db, operation_runs, held.id, "created_at", dice.choice([HOUR, 2 * HOUR, 90 * HOUR]))
        query = sa.select(*run_columns()).join(tenants, tenants.c.id == operation_runs.c.tenant_id)
        with db.read() as connection:
            found = [run_from_row(dict(row)) for row in connection.execute(query).mappings()]
        self.all = sorted(found, key=lambda run: (run.created_at, run.id), reverse=True)
        self.memberships = access.memberships_of(db, self.user.id)

    def examples(self, count: int) -> settings:
        """What a filter means is compared in full on SQLite, and with a quarter of the examples on PostgreSQL."""
        return examples(count if self.db.is_sqlite else count // 4)

    def wanted(self, of: tuple[Membership, ...], wanted: RunFilter) -> list[Run]:
        """By hand, newest first."""
        visible = {member.tenant.slug for member in of}
        now = dt.datetime.now(dt.UTC)
        return [
            replace(run, context=None)
            for run in self.all
            if run.tenant in visible
            and run.created_at > (wanted.since if isinstance(wanted.since, dt.datetime) else now - wanted.since)
            and (not isinstance(wanted.before, dt.timedelta) or run.created_at < now - wanted.before)
            and wanted.within in (None, run.tenant)
            and all(holds is not False for holds in self.holds(run, wanted))
            and not any(self.holds(run, wanted.exclude))
        ]

    def _acknowledge(self) -> None:
        """Somebody has acknowledged half of what went wrong."""
        owner = make_user(self.db, "owner", **dict.fromkeys(("alpha", "beta", "gamma", "delta"), Role.OWNER))
        acknowledging.acknowledge(self.db, owner, range(1, 301, 2), "seen")

    def holds(self, run: Run, values: Terms) -> list[bool | None]:
        """For each field of the values whether it holds; None where it says nothing. Words all have to hold."""
        texts = [run.initiator_name, run.type, run.label or "", *(f.message for f in run.failure_summary)]
        texts += [failure.code for failure in run.failure_summary]
        login = {self.user.id: "alice", self.other.id: "bob", None: "system"}[run.user_id]
        said = [any(word in text.lower() for text in texts) for word in values.words]
        any_word = said if self.is_unwanted(values) else [all(said)] if said else []
        return [
            filter_status(run) in values.statuses if values.statuses else None,
            run.outcome in values.outcomes if values.outcomes else None,
            any(glob_matches(glob, run.type) for glob in values.types) if values.types else None,
            run.tenant in values.tenants if values.tenants else None,
            any(glob_matches(glob, login) for glob in values.by) if values.by else None,
            any(glob_matches(g, f.code) for g in values.codes for f in run.failure_summary) if values.codes else None,
            run.id in values.ids if values.ids else None,
            run.retry_of_id in values.retry_of if values.retry_of else None,
            run.user_id == self.user.id if values.mine else None,
            run.acknowledged_at is not None if values.acked else None,
            *any_word,
        ]

    @staticmethod
    def is_unwanted(values: Terms) -> bool:
        return not isinstance(values, RunFilter)


def filter_status(run: Run) -> FilterStatus:
    return FilterStatus.PREVIEW if run.held else FilterStatus(run.status)


def is_on(run: Run, tab: str, wanted: RunFilter) -> bool:
    if tab == "Failed" and run.acknowledged_at and not wanted.acked:
        return False
    return not TABS[tab] or (run.outcome in TABS[tab] and not run.held)


def glob_matches(glob: str, text: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, glob.split("*"))), text) is not None


# One of each kind, made once: a module's fixture with parameters would be made anew at each change from one to the other.


@pytest.fixture(scope="module")
def many_sqlite(shared: Shared, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Many]:
    url = databases.copy_sqlite(shared.sqlite_template, tmp_path_factory.mktemp("queries") / "database")
    with contextlib.closing(Database(url)) as db:
        yield Many(db)


@pytest.fixture(scope="module")
def many_postgresql(modules_postgres_url: str) -> Iterator[Many]:
    with contextlib.closing(Database(modules_postgres_url)) as db:
        yield Many(db)


@pytest.fixture(params=KINDS)
def many(request: pytest.FixtureRequest) -> Many:
    found: Many = request.getfixturevalue(f"many_{request.param}")
    return found


@pytest.fixture(autouse=True)
def _looks_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a filter means is compared without the bound on what it may cost, which a test of its own has small.

    Many ranges share it: of a few hundred rows, some filter would have looked at no more than some in each.
    """
    monkeypatch.setattr("store.search.plan.SCAN", 1_000_000)
    monkeypatch.setattr("store.search.plan.SCAN_FOR_WORDS", 1_000_000)


GLOBS = (*TYPES, "inventory.*", "*", "*sync*", "*.x", "a%*", "nothing.here", "inventory_*")
some = st.lists(st.sampled_from(GLOBS), max_size=2)
numbers = st.lists(st.integers(1, 330), max_size=3).map(tuple)
fields = {
    "statuses": st.lists(st.sampled_from(FilterStatus), max_size=3, unique=True).map(tuple),
    "outcomes": st.lists(st.sampled_from(Outcome), max_size=2, unique=True).map(tuple),
    "types": some.map(tuple),
    "tenants": st.lists(st.sampled_from(["alpha", "beta", "gamma"]), max_size=2, unique=True).map(tuple),
    "by": st.lists(st.sampled_from(["alice", "bob", "system", "*b", "nobody", "*"]), max_size=2).map(tuple),
    "codes": st.lists(st.sampled_from(["graph.*", "worker.lost", "x%y", "x*", "nothing"]), max_size=2).map(tuple),
    "words": st.lists(st.sampled_from(["alice", "sync", "100%", "scope tags", '"words" \\', "_"]), max_size=2).map(
        tuple
    ),
    "mine": st.booleans(),
    "acked": st.booleans(),
}


def most_say_nothing(chosen: st.DrawFn, only: int) -> dict[str, Any]:
    names = chosen(st.lists(st.sampled_from([*fields, "ids", "retry_of"]), max_size=only, unique=True))
    return {name: chosen(fields.get(name, numbers)) for name in names}


@st.composite
def filters(draw: st.DrawFn) -> RunFilter:
    hours = [dt.timedelta(hours=hours) for hours in (0.5, 1.5, 3, 50, 24 * 30, 24 * 36_500)]
    return RunFilter(
        **most_say_nothing(draw, 4),
        since=draw(st.sampled_from(hours)),
        before=draw(st.sampled_from([None, None, *hours[:3]])),
        exclude=Terms(**most_say_nothing(draw, 2)),
        within=draw(st.sampled_from([None, None, "alpha", "beta"])),
    )


def test_a_page_is_a_slice_of_all_that_is_wanted(many: Many) -> None:
    """From the top, and behind any run, whatever ties there are."""

    @many.examples(40)
    @given(wanted=filters(), limit=st.integers(1, 40), start=st.integers(0, 30))
    def holds(wanted: RunFilter, limit: int, start: int) -> None:
        everything = many.wanted(many.memberships, wanted)
        start = min(start, len(everything))
        behind = Cursor(everything[start - 1].created_at, everything[start - 1].id) if start else None
        with many.db.read() as connection:
            found = pages.page(
                connection, resolve_filter(connection, many.memberships, many.user.id, wanted), limit, behind
            )
        assert list(found.runs) == everything[start : start + limit]
        assert found.has_older == (len(everything) > start + limit)

    holds()


def test_a_window_around_a_run_holds_what_is_newer_and_older(many: Many) -> None:

    @many.examples(16)
    @given(wanted=filters(), limit=st.integers(2, 40), start=st.integers(0, 60))
    def holds(wanted: RunFilter, limit: int, start: int) -> None:
        everything = many.wanted(many.memberships, wanted)
        start = min(start, max(0, len(everything) - 1))
        place = Cursor(everything[start].created_at, everything[start].id) if everything else THE_END
        with many.db.read() as connection:
            found = pages.page_around(
                connection, resolve_filter(connection, many.memberships, many.user.id, wanted), place, limit
            )
        first, last = max(0, start - limit // 2), start + limit - limit // 2
        assert list(found.runs) == everything[first:last]
        assert (found.has_newer, found.has_older) == (first > 0, len(everything) > last)

    holds()


def test_the_end_is_the_oldest_window(many: Many) -> None:
    wanted = RunFilter(since=dt.timedelta(days=99))
    with many.db.read() as connection:
        found = pages.page_around(
            connection, resolve_filter(connection, many.memberships, many.user.id, wanted), THE_END, 20
        )
    assert list(found.runs) == many.wanted(many.memberships, wanted)[-10:]
    assert (found.has_newer, found.has_older) == (True, False)


def test_other_orders_sort_the_same_runs(many: Many) -> None:

    @many.examples(12)
    @given(wanted=filters(), order=st.sampled_from(Order), limit=st.integers(1, 400))
    def holds(wanted: RunFilter, order: Order, limit: int) -> None:
        everything = many.wanted(many.memberships, wanted)
        with many.db.read() as connection:
            found = pages.sorted_page(
                connection, resolve_filter(connection, many.memberships, many.user.id, wanted), order, limit
            ).runs
        assert {run.id for run in found} <= {run.id for run in everything}
        assert len(found) == min(limit, len(everything))
        keys = [sort_key(order, run) for run in found if comparable(order, run)]
        assert keys == sorted(keys)
        left = [sort_key(order, run) for run in set(everything) - set(found) if comparable(order, run)]
        assert not keys or not left or keys[-1] <= min(left)

    holds()


def comparable(order: Order, run: Run) -> bool:
    """Active runs go on taking longer while one looks."""
    return order is not Order.DURATION or run.status is Status.COMPLETED


def sort_key(order: Order, run: Run) -> tuple[object, ...]:
    started = run.started_at.timestamp() if run.started_at else None
    if order is Order.TYPE:
        return (run.type, -run.created_at.timestamp(), -run.id)
    if order is Order.STARTED:
        return (started is None, -(started or 0), -run.created_at.timestamp(), -run.id)
    if order is Order.DURATION:
        assert run.completed_at
        return (started is None, -round(run.completed_at.timestamp() - (started or run.completed_at.timestamp()), 2))
    return (-run.created_at.timestamp(), -run.id)


def test_what_is_asked_on_the_way_is_asked_of_a_bounded_number(many: Many) -> None:
    """With a small bound, walk after walk finds every run once, in order, and counts never say too much."""

    @many.examples(16)
    @given(wanted=filters(), size=st.integers(1, 90))
    def holds(wanted: RunFilter, size: int) -> None:
        expected = many.wanted(many.memberships, wanted)
        found, behind, walks = list[Run](), None, 0
        with pytest.MonkeyPatch.context() as patch, many.db.read() as connection:
            patch.setattr("store.search.plan.SCAN", size)
            for kept in (keyset._bound_query, pages._page_query):
                kept.cache_clear()
            while True:
                page = pages.page(
                    connection, resolve_filter(connection, many.memberships, many.user.id, wanted), 7, behind
                )
                found += page.runs
                walks += 1
                assert walks < 800
                if not page.has_older:
                    break
                behind = page.scanned_to or Cursor(page.runs[-1].created_at, page.runs[-1].id)
            counts = tab_counts.counts(
                connection,
                resolve_filter(connection, many.memberships, many.user.id, wanted),
            )
        keyset._bound_query.cache_clear()
        assert found == expected
        assert counts["All"].number <= len(expected)
        assert counts["All"].at_least or counts["All"].number == len(expected)

    holds()


def test_all_that_match_are_found_walk_by_walk(many: Many) -> None:

    @many.examples(12)
    @given(wanted=filters(), limit=st.integers(1, 50))
    def holds(wanted: RunFilter, limit: int) -> None:
        found, behind = list[int](), None
        with many.db.read() as connection:
            while True:
                places, behind = matching_runs.matching(
                    connection, many.memberships, many.user.id, wanted, limit, behind
                )
                found += [place.id for place in places]
                if behind is None:
                    break
        assert found == [run.id for run in many.wanted(many.memberships, wanted)]

    holds()


@pytest.mark.parametrize("size", [3, 50])
def test_page_by_page_every_run_comes_once(many: Many, size: int) -> None:
    wanted, behind, found = RunFilter(since=dt.timedelta(days=99)), None, list[Run]()
    while True:
        with many.db.read() as connection:
            page = pages.page(
                connection, resolve_filter(connection, many.memberships, many.user.id, wanted), size, behind
            ).runs
        if not page:
            break
        found += page
        behind = Cursor(page[-1].created_at, page[-1].id)
    assert found == many.wanted(many.memberships, wanted)
    assert len({run.created_at for run in found}) < len(found) / 2, "there should be many ties"


def test_counts_are_those_of_the_tabs_lists(many: Many) -> None:

    @many.examples(16)
    @given(wanted=filters())
    def holds(wanted: RunFilter) -> None:
        everything = many.wanted(many.memberships, wanted)
        expected = {tab: Count(sum(is_on(run, tab, wanted) for run in everything)) for tab in TABS}
        with many.db.read() as connection:
            found = resolve(connection, many.memberships, many.user.id, wanted)
            assert tab_counts.counts(connection, found.plan() if found else None) == expected
            for tab, count in expected.items():
                narrowed = tabs.on_tab(wanted, tab)
                plan = found.plan(tab) if found else None
                assert plan == (
                    resolve_filter(connection, many.memberships, many.user.id, narrowed) if narrowed else None
                ), "looked up once, it is planned for a tab as if it had been looked up for it"
                assert len(pages.page(connection, plan, 999).runs) == count.number, tab

    holds()


@pytest.mark.parametrize(
    ("line", "states", "active"),
    [
        ("", "completed preview queued running", "queued running"),
        ("status:queued", "queued", "queued"),
        ("status:preview", "preview", ""),
        ("status:preview,queued", "preview queued", "queued"),
        ("status:preview,completed", "completed preview", ""),
        ("status:queued,running,completed", "completed queued running", "queued running"),
        ("-status:preview", "completed queued running", "queued running"),
        ("-status:queued", "completed preview running", "running"),
        ("-status:queued,running,completed", "preview", ""),
        ("outcome:pending", "preview queued running", "queued running"),
        ("status:preview outcome:failed", "", ""),
        ("status:preview mine", "preview", ""),
        ("status:preview type:restore.*", "preview", ""),
        ("status:preview type:inventory.*", "", ""),
    ],
)
def test_a_preview_is_no_queued_run_and_no_active_one(many: Many, line: str, states: str, active: str) -> None:
    with many.db.read() as connection:
        found = resolve(connection, many.memberships, many.user.id, parse_line(line))
        all_, some = (found.plan(tab) if found else None for tab in ("All", "Active"))
        listed = [pages.page(connection, plan, 999).runs for plan in (all_, some)]
        counts = tab_counts.counts(connection, all_)
        assert [" ".join(sorted({filter_status(run) for run in runs})) for runs in listed] == [states, active]
        assert (counts["All"], counts["Active"]) == (Count(len(listed[0])), Count(len(listed[1])))


def test_previews_are_told_apart_without_a_bound(many: Many) -> None:
    """Whole, however many runs there are: only the mixes that no index serves are tested row by row."""
    with many.db.read() as connection:
        found = {
            line: resolve_filter(connection, many.memberships, many.user.id, parse_line(line))
            for line in ("status:preview", "-status:preview", "status:queued,running", "status:queued,preview")
        }
    plans = {line: (plan.held, plan.has_residual) for line, plan in found.items() if plan}
    assert plans == {
        "status:preview": (True, False),
        "-status:preview": (False, False),
        "status:queued,running": (False, False),
        "status:queued,preview": (None, True),
    }


def test_without_tenants_there_is_nothing(many: Many) -> None:
    with many.db.read() as connection:
        assert pages.page(connection, resolve_filter(connection, (), many.user.id, RunFilter()), 10) == Page()
        assert tab_counts.counts(
            connection,
            resolve_filter(connection, (), many.user.id, RunFilter()),
        ) == dict.fromkeys(TABS, Count(0))


def test_a_tenant_that_is_not_ones_own_is_not_found(many: Many) -> None:
    with many.db.read() as connection:
        for slug in ("delta", "nowhere"):
            with pytest.raises(NotFound, match=f"no tenant '{slug}'"):
                pages.page(
                    connection,
                    resolve_filter(connection, many.memberships, many.user.id, RunFilter(tenants=("alpha", slug))),
                    10,
                )
            with pytest.raises(NotFound):
                tab_counts.counts(
                    connection,
                    resolve_filter(connection, many.memberships, many.user.id, RunFilter(tenants=(slug,))),
                )


def test_the_same_question_is_answered_anew(db: Database, tenant: Tenant, user: User) -> None:
    """Statements are kept, answers are not."""
    for number in range(3):
        with db.read() as connection:
            of = access.read_memberships(connection, user.id)
            assert len(pages.page(connection, resolve_filter(connection, of, user.id, RunFilter()), 10).runs) == number
            assert tab_counts.counts(
                connection,
                resolve_filter(connection, of, user.id, RunFilter()),
            )["All"] == (number, False)
        open_run(db, tenant, user)


def test_counts_stop_at_the_cap(db: Database, tenant: Tenant, user: User) -> None:
    seed_runs(db, (SeedRun(tenant.id, "x.y", Outcome.FAILED, HOUR) for _ in range(COUNT_CAP + 50)))
    other = make_tenant(db, "fabrikam")
    seed_runs(db, (SeedRun(other.id, "x.y", Outcome.SUCCEEDED, HOUR) for _ in range(COUNT_CAP)))
    admin.grant(db, "alice", "fabrikam", Role.READONLY)
    with db.read() as connection:
        found = tab_counts.counts(
            connection,
            resolve_filter(connection, access.read_memberships(connection, user.id), user.id, RunFilter()),
        )
    many, none = Count(COUNT_CAP, True), Count(0)
    assert found == {"All": many, "Active": none, "Succeeded": Count(COUNT_CAP), "Partial": none, "Failed": many}


def test_previews_fill_up_the_count_of_all(
    db: Database, tenant: Tenant, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tab_counts, "COUNT_CAP", 3)
    tab_counts._counts_query.cache_clear()

    def counted() -> tuple[Count, Count]:
        with db.read() as connection:
            of = access.read_memberships(connection, user.id)
            found = tab_counts.counts(connection, resolve_filter(connection, of, user.id, RunFilter()))
        return found["All"], found["Active"]

    for _ in range(2):
        open_run(db, tenant, user, held=True)
    open_run(db, tenant, user)
    assert counted() == (Count(3), Count(1))
    open_run(db, tenant, user, held=True)
    assert counted() == (Count(3, True), Count(1))
    tab_counts._counts_query.cache_clear()


# ---- attempts


def attempts(db: Database, run: Run, limit: int = 20) -> list[int]:
    with db.read() as connection:
        return [found.id for found in retry_chain.attempts(connection, run, limit)]


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
    assert lifecycle.active_twin(db, tenant.id, run.run_identity_hash) == run
    running = lifecycle.claim(db, run.id, make_worker(db))
    assert running
    assert lifecycle.active_twin(db, tenant.id, run.run_identity_hash) == running
    assert lifecycle.active_twin(db, tenant.id + 1, run.run_identity_hash) is None
    assert lifecycle.active_twin(db, tenant.id, "another") is None


# ---- what is not wanted


def test_no_run_is_listed_that_was_not_wanted(db: Database, tenant: Tenant, user: User) -> None:
    other = make_tenant(db, "fabrikam")
    admin.grant(db, "alice", "fabrikam", Role.READONLY)
    good = end_run(db, open_run(db, tenant, user, label="Sync it"))
    bad = end_run(db, open_run(db, tenant, user, label="Sync it"), FAILED)
    there = end_run(db, open_run(db, other, user, label="Restore it"))
    named = {good.id: "good", bad.id: "bad", there.id: "there"}
    expected = {
        "-outcome:failed": ["there", "good"],
        "-tenant:fabrikam": ["bad", "good"],
        "-restore": ["bad", "good"],
        f"-id:{good.id}": ["there", "bad"],
        "-code:operation.*": ["there", "good"],
        "-by:alice": [],
        "-mine": [],
        "-type:inventory.*": [],
        "-status:completed": [],
    }
    for line, wanted in expected.items():
        with db.read() as connection:
            of = access.read_memberships(connection, user.id)
            found = pages.page(connection, resolve_filter(connection, of, user.id, parse_line(line)), 10).runs
        assert [named[run.id] for run in found] == wanted, line
