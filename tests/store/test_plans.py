"""No statement walks the whole table of runs: each is captured as it is sent, and its plan is looked at."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from store import snapshot
from store.db.engine import Database
from store.intune import backups, content_store, directory, drift, drift_sides, group_search, policy_states, versions
from store.intune.backup_page import BackupsWanted, ItemWanted
from store.intune.backup_records import NewSet
from store.intune.backup_sets import SetsWanted, SetWanted
from store.intune.browsed import KindsWanted, Place, PoliciesWanted, PolicyWanted, Wanted
from store.intune.content_store import Content
from store.intune.directory_page import DirectoryWanted
from store.intune.drift_page import DriftWanted, ReportsWanted, ReportWanted
from store.intune.restore_page import AnyRestoreWanted, RestoreItemWanted, RestoresWanted, RestoreWanted
from store.model.records import Failure, Outcome, Run, Tenant, User
from store.model.tables import (
    audit_events,
    backup_items,
    backup_set_kinds,
    backup_sets,
    contents,
    drift_findings,
    drift_reports,
    kind_reads,
    operation_runs,
    policies,
    policy_versions,
    rescues,
    restore_items,
    restore_runs,
    run_acknowledgements,
    run_watches,
)
from store.model.tables import workers as workers_table
from store.model.types import Json, utcnow
from store.people import access, audit, notifications, preferences
from store.people.access import Role
from store.runs import acknowledging, bulk, lifecycle, ticking, twins, watching
from store.runs import attempts as retry_chain
from store.runs import detail as run_detail
from store.runs import log as run_log
from store.runs.lifecycle import Result
from store.runs.log import NewLogLine
from store.runs.seeding import SeedRun, seed_runs
from store.search import audit_filter, audit_page, failure_groups, keyset, pages, tabs
from store.search import counts as tab_counts
from store.search import matching as matching_runs
from store.search.filter import parse_line
from store.search.resolve import resolve_filter
from store.snapshot import Request, SnapshotCache
from store.workers import heartbeats, load, queue_depth
from store.workers import pause as queue_pause
from store.workers import rescues as store_rescues
from tests.conftest import KINDS
from tests.support import databases
from tests.support.people import SUCCEEDED, make_tenant, make_user, make_worker, new_run, open_run, start_run
from tests.support.shared import Shared

SLUGS = ("alpha", "beta", "gamma")
#: PostgreSQL plans by how much there is: small tables are walked rightly. SQLite keeps no statistics, and plans by the indexes.
RUNS = {"postgresql": 20_000, "sqlite": 1_000}
SECONDS = 160 * 86_400
#: Tables that grow without a bound.
LARGE = (
    "operation_runs",
    "run_events",
    "notifications",
    "rescues",
    "policy_versions",
    "contents",
    "backup_items",
    "drift_findings",
    "restore_items",
    "audit_events",
    "run_watches",
    "run_acknowledgements",
)
#: Grow with the tenants (`other` is a second look at the words of groups). PostgreSQL walks the few thousand that are here, and
#: rightly: SQLite says whether an index is there.
LARGE_ON_SQLITE = (
    *LARGE,
    "drift_reports",
    "restore_runs",
    "kind_reads",
    "policies",
    "directory_groups",
    "directory_group_words",
    "other",
)


class Full:
    """A database with a history of many runs over half a year, and a little that is active."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.runs = RUNS["sqlite" if db.is_sqlite else "postgresql"]
        self.tenants: list[Tenant] = [make_tenant(db, slug) for slug in SLUGS]
        self.users: list[User] = [make_user(db, **dict.fromkeys(SLUGS, Role.OPERATOR)) for _ in range(20)]
        self.user = self.users[0]
        self.owner = make_user(db, alpha=Role.OWNER)
        seed_runs(db, map(self._past, reversed(range(self.runs))), batch=5000)
        for tenant in self.tenants:
            open_run(db, tenant, self.user)
            start_run(db, tenant, self.user)
            open_run(db, tenant, self.user, held=True)
        dead = {"host": "x", "pid": 1, "version": "1", "slots": 4, "stopped_at": utcnow()}
        with db.write() as connection:
            for _ in range(10):
                connection.execute(sa.insert(workers_table).values([dead] * 200))
            ids = connection.execute(sa.select(operation_runs.c.id).limit(5000)).scalars()
            failed = operation_runs.c.outcome == Outcome.FAILED
            is_old = sa.and_(failed, operation_runs.c.id % 40 > 0)
            self._people(connection)
            connection.execute(sa.update(operation_runs).where(is_old).values(acknowledged_at=utcnow()))
            connection.execute(sa.insert(rescues), [{"run_id": id_, "what": "queued"} for id_ in ids])
        self._policies()
        self._groups()
        self._backups()
        self._reads()
        if not db.is_sqlite:
            with db.write() as connection:
                connection.exec_driver_sql("ANALYZE")

    def _people(self, connection: sa.Connection) -> None:
        """Acknowledgements, watches and events of many runs."""
        ids = connection.execute(sa.select(operation_runs.c.id).limit(5000)).scalars().all()
        rows = [{"run_id": id_, "user_id": self.user.id} for id_ in ids]
        connection.execute(sa.insert(run_acknowledgements), rows[::2])
        connection.execute(sa.insert(run_watches), [row | {"user_id": self.users[1].id} for row in rows])
        event = {"login": "x", "origin": "x@y", "action": "run.started", "subject": "x"}
        tenants = [tenant.id for tenant in self.tenants]
        events = [event | {"run_id": id_, "tenant_id": tenants[id_ % 3]} for id_ in ids for _ in range(2)]
        connection.execute(sa.insert(audit_events), events)

    def _policies(self) -> None:
        """Thousands of policies in the other tenants, a few hundred in this one; each with versions."""
        count = self.runs // 4
        rows = [
            {
                "tenant_id": self.tenants[0 if number % 20 == 0 else 1 + number % 2].id, "kind": f"kind{number % 9}",
                "external_id": str(number), "name": f"Policy {number}", "body": {},
            }
            for number in range(count)
        ]  # fmt: skip
        bodies = [{"content_hash": f"h{n}", "canonical_hash": "c", "body": {"n": n}} for n in range(count)]
        with self.db.write() as connection:
            connection.execute(sa.insert(policies), rows)
            connection.execute(sa.insert(contents), bodies)
            ids = connection.execute(sa.select(policies.c.id)).scalars().all()
            versions = [
                {
                    "policy_id": id_, "content_hash": f"h{place}", "canonical_hash": "c", "assignments": [],
                    "assignments_hash": "a", "completeness": "whole", "gaps": [],
                }
                for place, id_ in enumerate(ids) for _ in range(2)
            ]  # fmt: skip
            connection.execute(sa.insert(policy_versions), versions)

    def _reads(self) -> None:
        """Two of a kind in each tenant, after the backups."""
        with self.db.write() as connection:
            for tenant in self.tenants * 2:
                read = {"tenant_id": tenant.id, "kind": "kind0", "last_version_id": 10**9, "policies": 1}
                connection.execute(sa.insert(kind_reads), read)

    def _groups(self) -> None:
        """As many groups in each tenant, each with three words, one of which all have."""
        run = start_run(self.db, self.tenants[0])
        for tenant in self.tenants:
            round_ = directory.begin_round(self.db, tenant.id, run.id)
            names = [f"Group {number} {number % 97}" for number in range(self.runs // 10)]
            page = [{"id": f"{tenant.id} {name}", "displayName": name} for name in names]
            directory.apply(self.db, tenant.id, round_, page)

    def _backups(self) -> None:
        """A few sets in each tenant, and many in another; all have as many items."""
        numbers = [0, 0, 0, *[1 + number % 2 for number in range(97)]]
        rows = [
            {
                "tenant_id": self.tenants[number].id,
                "name": "x",
                "source": "graph",
                "initiator_name": "x",
                "selection": {},
            }
            for number in numbers
        ]
        with self.db.write() as connection:
            connection.execute(sa.insert(backup_sets), rows)
            ids = connection.execute(sa.select(backup_sets.c.id)).scalars().all()
            items = [
                {
                    "set_id": id_, "kind": f"kind{number % 9}", "external_id": str(number), "name": f"Policy {number}",
                    "content_hash": f"h{number % 20}", "canonical_hash": "c", "assignments": [], "assignments_hash": "a",
                    "references": [], "completeness": "whole", "gaps": [],
                }
                for id_ in ids for number in range(300)
            ]  # fmt: skip
            connection.execute(sa.insert(backup_items), items)
            kinds = [
                {"set_id": id_, "kind": f"kind{number}", "found": 1, "kept": 1} for id_ in ids for number in range(9)
            ]
            connection.execute(sa.insert(backup_set_kinds), kinds)
            self._drift(connection)
            self._restores(connection)

    def _drift(self, connection: sa.Connection) -> None:
        """Many reports of another tenant, each with findings."""
        tenant = self.tenants[1].id
        ids = connection.execute(
            sa.select(operation_runs.c.id).where(operation_runs.c.tenant_id == tenant).limit(400)
        ).scalars()
        run_ids = [*ids]
        connection.execute(
            sa.insert(drift_reports), [{"run_id": run_id, "tenant_id": tenant, "kinds": []} for run_id in run_ids]
        )
        finding = {"kind": "kind0", "external_id": "1", "policy_name": "x", "change": "modified", "path": "x"}
        rows = [finding | {"run_id": run_id, "fingerprint": f"f{n}"} for run_id in run_ids for n in range(50)]
        connection.execute(sa.insert(drift_findings), rows)

    def _restores(self, connection: sa.Connection) -> None:
        """A previewed restore of each set but the last into its own tenant, with all items."""
        last = sa.select(sa.func.max(backup_sets.c.id)).scalar_subquery()
        copied = [backup_sets.c.tenant_id, backup_sets.c.tenant_id, backup_sets.c.id]
        rest = [sa.literal("x"), sa.literal("previewed"), utcnow(), sa.literal({}, Json), sa.literal([], Json)]
        names = ["tenant_id", "source_tenant_id", "backup_set_id", "initiator_name", "status", "previewed_at", "scope"]
        query = sa.select(*copied, *rest).where(backup_sets.c.id < last).order_by(backup_sets.c.id)
        connection.execute(sa.insert(restore_runs).from_select([*names, "ticks"], query))
        of_set = restore_runs.join(backup_items, backup_items.c.set_id == restore_runs.c.backup_set_id)
        plan = sa.literal({"reasons": [{"code": "x", "words": "x"}], "needs": ["everybody"]}, Json)
        columns = [restore_runs.c.id, backup_items.c.id, backup_items.c.id, sa.literal("blocked"), plan]
        items = sa.select(*columns).select_from(of_set)
        names = ["restore_id", "backup_item_id", "position", "action", "plan"]
        connection.execute(sa.insert(restore_items).from_select(names, items))

    def _past(self, number: int) -> SeedRun:
        ends = (Outcome.SUCCEEDED,) * 18 + (Outcome.PARTIALLY_SUCCEEDED, Outcome.FAILED)
        user = self.users[number % 20] if number % 3 else None
        return SeedRun(
            tenant_id=self.tenants[number % 7 % 3].id,
            type=f"some.type{number % 11}",
            outcome=ends[number % 20],
            age=60 + number * SECONDS / self.runs,
            took=1,
            user_id=user.id if user else None,
            read=number > 100,
            log=(NewLogLine("info", "x"),),
            failures=() if number % 20 < 18 else (Failure("x.y", "Boom"), Failure("graph.throttled", "Later")),
        )


# One of each kind, made once: a module's fixture with parameters would be made anew at each change from one to the other.


@pytest.fixture(scope="module")
def full_sqlite(shared: Shared, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Full]:
    url = databases.copy_sqlite(shared.sqlite_template, tmp_path_factory.mktemp("plans") / "database")
    with contextlib.closing(Database(url)) as db:
        yield Full(db)


@pytest.fixture(scope="module")
def full_postgresql(modules_postgres_url: str) -> Iterator[Full]:
    with contextlib.closing(Database(modules_postgres_url)) as db:
        yield Full(db)


@pytest.fixture(params=KINDS)
def full(request: pytest.FixtureRequest) -> Full:
    found: Full = request.getfixturevalue(f"full_{request.param}")
    return found


Sent = list[tuple[str, Any]]


@contextmanager
def sent_statements(db: Database) -> Iterator[Sent]:
    """Every statement that goes to the database, with its parameters."""
    sent: Sent = []

    def remember(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        # A worker's insert is left out: SQLite lists how it would look for orphans, had there been any.
        if re.match(r"(?i)\s*(with|select|insert|update|delete)\b(?! into workers)", statement):
            sent.append((statement, parameters[0] if many else parameters))

    sa.event.listen(sa.Engine, "before_cursor_execute", remember)
    try:
        yield sent
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", remember)


def walked(db: Database, statement: str, parameters: Any) -> list[str]:
    """The lines of the statement's plan that read a large table from one end to the other."""
    if db.is_sqlite:
        lines = [str(row[-1]) for row in explain(db, "EXPLAIN QUERY PLAN " + statement, parameters)]
        return [line for line in lines if re.match(rf"SCAN ({'|'.join(LARGE_ON_SQLITE)})\b", line)]
    # As the server plans it for these values, and as it plans a prepared statement for any.
    any_values = re.sub(r"%\((\w+)\)s", lambda match: f"${list(parameters).index(match[1]) + 1}", statement)
    lines = [str(row[0]) for row in explain(db, "EXPLAIN " + statement, parameters)]
    lines += [str(row[0]) for row in explain(db, "EXPLAIN (GENERIC_PLAN) " + any_values.replace("%%", "%"), None)]
    return [line for line in lines if re.search(rf"Seq Scan on ({'|'.join(LARGE)})\b", line)]


def explain(db: Database, statement: str, parameters: Any) -> list[Any]:
    with db.read_one() as connection:
        if parameters is None:
            driver: Any = connection.connection.driver_connection
            return psycopg.ClientCursor(driver).execute(statement).fetchall()  # others would want the parameters
        return list(connection.exec_driver_sql(statement, parameters))


def remembering(full: Full) -> None:
    """Two polls, the second of which asks only what has changed."""
    memory = SnapshotCache()
    for _ in range(2):
        snapshot.take(full.db, Request(full.user.id), cache=memory)


def reading(question: Callable[[sa.Connection, Full], object]) -> Callable[[Full], object]:
    def ask(full: Full) -> object:
        with full.db.read() as connection:
            return question(connection, full)

    return ask


def listing(line: str, tab: str = "All", behind: bool = False) -> Callable[[Full], object]:
    def ask(connection: sa.Connection, full: Full) -> object:
        of = access.read_memberships(connection, full.user.id)
        wanted = tabs.on_tab(parse_line(line), tab)
        assert wanted
        newest = pages.page(connection, resolve_filter(connection, of, full.user.id, wanted), 100).runs
        cursor = keyset.Cursor(newest[-1].created_at, newest[-1].id) if behind and newest else None
        return pages.page(connection, resolve_filter(connection, of, full.user.id, wanted), 100, cursor)

    return reading(ask)


def sorting(order: pages.Order, line: str) -> Callable[[Full], object]:
    return reading(
        lambda connection, full: pages.sorted_page(
            connection,
            resolve_filter(
                connection, access.read_memberships(connection, full.user.id), full.user.id, parse_line(line)
            ),
            order,
            500,
        )
    )


def surrounding(line: str, place: keyset.Cursor | None = None) -> Callable[[Full], object]:
    def ask(connection: sa.Connection, full: Full) -> object:
        of = access.read_memberships(connection, full.user.id)
        at = place or keyset.Cursor(dt.datetime.now(dt.UTC) - dt.timedelta(days=9), 1)
        return pages.page_around(connection, resolve_filter(connection, of, full.user.id, parse_line(line)), at, 500)

    return reading(ask)


def everything(line: str) -> Callable[[Full], object]:
    return reading(
        lambda connection, full: matching_runs.matching(
            connection, access.read_memberships(connection, full.user.id), full.user.id, parse_line(line), 500
        )
    )


def counting(line: str) -> Callable[[Full], object]:
    return reading(
        lambda connection, full: tab_counts.counts(
            connection,
            resolve_filter(
                connection, access.read_memberships(connection, full.user.id), full.user.id, parse_line(line)
            ),
        )
    )


def grouping(line: str) -> Callable[[Full], object]:
    return reading(
        lambda connection, full: failure_groups.read(
            connection, access.read_memberships(connection, full.user.id), full.user.id, parse_line(line)
        )
    )


def auditing(line: str) -> Callable[[Full], object]:
    def ask(connection: sa.Connection, full: Full) -> object:
        of = access.read_memberships(connection, full.owner.id)
        return audit_page.page(connection, of, full.owner.id, replace(audit_filter.parse_line(line), before=10**9))

    return reading(ask)


def _inventory(wanted: Wanted) -> Callable[[Full], object]:
    def ask(full: Full) -> object:
        found = snapshot.take(full.db, Request(full.user.id, inventory=wanted)).inventory
        assert found
        return found

    return ask


def _backups(wanted: BackupsWanted) -> Callable[[Full], object]:
    def ask(full: Full) -> object:
        found = snapshot.take(full.db, Request(full.user.id, backups=wanted)).backups
        assert found
        return found

    return ask


def _restores(wanted: AnyRestoreWanted) -> Callable[[Full], object]:
    def ask(full: Full) -> object:
        found = snapshot.take(full.db, Request(full.user.id, restores=wanted)).restores
        assert found
        return found

    return ask


def _storing(full: Full) -> None:
    with full.db.write() as connection:
        content_store.put(connection, {"h1": Content("c", {}), "new": Content("c", {})})


def _removing(full: Full) -> None:
    """The last set, which is another tenant's."""
    with full.db.write() as connection:
        last = connection.execute(sa.select(sa.func.max(backup_sets.c.id))).scalar_one()
        backups.remove(connection, last)


def _drift(wanted: DriftWanted) -> Callable[[Full], object]:
    def ask(full: Full) -> object:
        found = snapshot.take(full.db, Request(full.user.id, drift=wanted)).drift
        assert found
        return found

    return ask


def _a_report(full: Full) -> int:
    with full.db.read() as connection:
        return int(connection.execute(sa.select(sa.func.min(drift_reports.c.run_id))).scalar_one())


def _directory(text: str) -> Callable[[Full], object]:
    def ask(full: Full) -> object:
        found = snapshot.take(full.db, Request(full.user.id, directory=DirectoryWanted("alpha", text))).directory
        assert found
        assert found.groups
        return found

    return ask


def a_run(full: Full, running: bool = False) -> Run:
    return (start_run if running else open_run)(full.db, full.tenants[0], full.user)


def queued_behind_another(full: Full) -> Run:
    lifecycle.mark_dispatched(full.db, a_run(full).id)
    return a_run(full)


def whole(full: Full, run: Run) -> run_detail.RunDetail:
    with full.db.read() as connection:
        return run_detail.read_visible(connection, full.user.id, run.id)


def owner(run: Run) -> int:
    assert run.worker_id
    return run.worker_id


#: Every term of a filter alone, and the pairs that people write.
TERMS = (
    "status:running", "status:queued", "status:completed", "outcome:failed", "outcome:failed,partial", "outcome:succeeded",
    "type:some.type3", "type:some.type1*", "type:nothing.*", "tenant:beta", "by:alice", "by:system", "by:nobody", "mine",
    "since:2h", "since:52w", "before:7d", "code:x.*", "code:nothing", "retry-of:17", "id:17", "boom", "nothing-like-it",
    "status:preview", "status:queued,preview", "status:preview,completed", "-status:preview",
    "-outcome:succeeded", "-status:completed", "-type:some.type3", "-tenant:beta", "-mine", "-by:system", "-code:x.*", "-boom",
    "acked", "-acked",
)  # fmt: skip
PAIRS = (
    "mine outcome:failed", "mine status:running", "mine type:some.type3", "type:some.type3 outcome:failed",
    "tenant:beta outcome:failed", "tenant:beta mine", "outcome:failed code:x.*", "outcome:failed boom",
    "mine status:preview", "type:some.type3 status:preview", "tenant:beta -status:preview",
    "mine acked", "mine -acked", "type:some.type3 -acked", "code:x.* -acked", "outcome:failed acked", "boom -acked",
    "tenant:beta type:some.type3", "since:2h outcome:failed", "by:alice type:some.type3", "-type:some.type3 outcome:failed",
)  # fmt: skip

QUESTIONS: dict[str, Callable[[Full], object]] = {
    "list": listing(""),
    "list, second page": listing("", behind=True),
    "list of one tenant": listing("tenant:beta", behind=True),
    "list of a long time": listing("since:52w", behind=True),
    **{f"tab {tab}": listing("", tab) for tab in tabs.TABS},
    **{f"tab Failed, {line}": listing(line, "Failed") for line in ("mine", "type:some.type3", "code:x.*", "by:system")},
    **{f"list, {line}": listing(line, behind=True) for line in (*TERMS, *PAIRS)},
    **{f"counts, {line}": counting(line) for line in (*TERMS, *PAIRS)},
    **{f"by {order}": sorting(order, line) for order in pages.Order for line in ("", "outcome:failed")},
    **{f"around, {line}": surrounding(line) for line in ("", "mine", "code:x.*", "type:some.type3")},
    "the oldest": surrounding("", keyset.THE_END),
    "counts": counting(""),
    "counts of a long time": counting("since:52w"),
    **{f"all of {line}": everything(line) for line in ("outcome:failed", "code:x.*", "type:some.type3 mine")},
    **{f"groups, {line}": grouping(line) for line in ("", "since:52w", "mine", "code:x.*", "type:some.type3", "boom")},
    "many runs": lambda full: bulk.visible_runs(full.db, full.user.id, range(1, 1001)),
    "many twins": lambda full: bulk.active_twins(
        full.db, {tenant.id: [f"{number:064}" for number in range(600)] for tenant in full.tenants}
    ),
    "many retries": lambda full: bulk.newest_retries(full.db, full.user.id, range(1, 1001)),
    "a setting": lambda full: preferences.read(full.db, full.user.id, "views"),
    "a changed setting": lambda full: preferences.change(full.db, full.user.id, "views", lambda kept: {"of": "plans"}),
    "acknowledge": lambda full: acknowledging.acknowledge(full.db, full.user, range(1, 300), "seen"),
    "take back": lambda full: acknowledging.unacknowledge(full.db, full.user, range(1, 300)),
    "watch": lambda full: watching.watch(full.db, full.owner.id, a_run(full).id),
    "ended watches": reading(lambda connection, full: watching.ended(connection, full.user.id)),
    "told of watches": lambda full: watching.tell(full.db, full.user.id, range(1, 20)),
    **{
        f"audit, {line}": auditing(line)
        for line in (
            "",
            "by:alice",
            "action:run.*",
            "tenant:alpha",
            "since:2h",
            "run:17",
            "-by:alice -action:x.* -run:17",
        )
    },
    "audit of a run": reading(lambda connection, full: audit.of_run(connection, 17)),
    "inbox": reading(lambda connection, full: notifications.inbox(connection, full.user.id)),
    "unread": reading(lambda connection, full: notifications.unread(connection, full.user.id)),
    "number of unread": reading(lambda connection, full: notifications.unread_now(connection, full.user.id)),
    "log lines": reading(lambda connection, full: run_log.read_log(connection, 17)),
    "a run": lambda full: lifecycle.get(full.db, 17),
    "a run one may see": lambda full: access.visible_run(full.db, full.user, 17),
    "a twin": lambda full: lifecycle.active_twin(full.db, full.tenants[0].id, "x"),
    "attempts": reading(lambda c, full: retry_chain.attempts(c, access.read_visible_run(c, full.user.id, 17))),
    "snapshot": lambda full: snapshot.take(full.db, Request(full.user.id, run_id=17, inbox=True)),
    "load": reading(lambda c, full: load.read(c, access.read_memberships(c, full.user.id), 30)),
    "snapshot that remembers": remembering,
    "snapshot with the load": lambda full: snapshot.take(full.db, Request(full.user.id, load=True)),
    "inventory": _inventory(KindsWanted("alpha")),
    "policies of a kind": _inventory(PoliciesWanted("alpha", "kind0")),
    "policies further down": _inventory(PoliciesWanted("alpha", "kind0", "9", Place("policy 1", 1))),
    "a policy": _inventory(PolicyWanted(1)),
    "a version of a policy": _inventory(PolicyWanted(1, 1, compared=True)),
    "backup sets": _backups(SetsWanted("alpha")),
    "a backup set": _backups(SetWanted(1)),
    "a backup set further down": _backups(SetWanted(1, text="9", after=("kind1", "policy 1", 1), lacking=False)),
    "what a backup set lacks": _backups(SetWanted(1, lacking=True)),
    "an item of a backup set": _backups(ItemWanted(1)),
    "restores": _restores(RestoresWanted("alpha")),
    "a restore": _restores(RestoreWanted(1)),
    "a restore further down": _restores(RestoreWanted(1, after=(200, 200))),
    "what blocks a restore": _restores(RestoreWanted(1, which="blocked")),
    "what of a restore has failed": _restores(RestoreWanted(1, which="failed")),
    "an item of a restore": _restores(RestoreItemWanted(1, 1)),
    "bodies that are known": lambda full: versions.known_contents(full.db, ["h1", "h2"]),
    "bodies": reading(lambda connection, full: policy_states.bodies(connection, ["h1", "h2"])),
    "bodies that are stored": _storing,
    "assignments": reading(lambda connection, full: policy_states.assignments(connection, policy_versions, [1, 2])),
    "what a retry goes on with": lambda full: backups.begin(
        full.db, full.tenants[0].id, NewSet("x", {}, "x"), a_run(full).id, 17
    ),
    "what is in a backup set": lambda full: backups.kept(full.db, 1),
    "backups that are too old": lambda full: backups.keep_last(full.db, 7, 1),
    "a backup set that is removed": _removing,
    "the last failure of a schedule": lambda full: ticking.last_failure(
        full.db, full.tenants[0].id, 7, (ticking.TYPE,), 10**9
    ),
    "the beginning of a drift report": lambda full: drift.begin(full.db, full.tenants[1].id, a_run(full).id),
    "drift reports": _drift(ReportsWanted("beta")),
    "a drift report": lambda full: _drift(ReportWanted(_a_report(full)))(full),
    "groups": _directory(""),
    "groups by a beginning": _directory("gro"),
    "groups by two beginnings": _directory("gro 7"),
    "groups by their whole names": reading(
        lambda c, full: group_search.by_names(c, full.tenants[0].id, [f"Group {n} {n}" for n in range(90)])
    ),
    "pause": lambda full: (queue_pause.pause(full.db, full.owner), queue_pause.resume(full.db, full.owner)),
    "beat": lambda full: heartbeats.heartbeat(full.db, 1, 0),
    "a queued run, whole": lambda full: whole(full, queued_behind_another(full)),
    "a running run, whole": lambda full: whole(full, a_run(full, True)),
    "a completed run, whole": reading(lambda c, full: run_detail.read_visible(c, full.user.id, 17)),
    "the oldest ahead": reading(lambda c, full: run_detail._oldest(c, full.user.id, queued_behind_another(full))),
    "what is usual": reading(
        lambda c, full: run_detail._typical_duration(c, access.read_visible_run(c, full.user.id, 17))
    ),
    "an active twin": reading(lambda c, full: twins.read(c, full.tenants[0].id, "x", context=False)),
    "workers": reading(lambda connection, full: heartbeats.alive(connection, 30)),
    "lost runs": lambda full: heartbeats.stalled_runs(full.db, 30),
    "waiting runs": lambda full: heartbeats.undelivered_runs(full.db, never_queued_for=10, queued_for=60),
    "what waits": lambda full: queue_depth.waiting(full.db, full.user.id),
    "how much waits": reading(
        lambda c, full: c.execute(queue_depth._DEPTH, {"p_tenant_ids": [tenant.id for tenant in full.tenants]}).one()
    ),
    "open": lambda full: lifecycle.create_or_attach(full.db, new_run(full.tenants[0], full.user, "plan")),
    "mark dispatched": lambda full: lifecycle.mark_dispatched(full.db, a_run(full).id),
    "claim": lambda full: lifecycle.claim(full.db, a_run(full).id, make_worker(full.db)),
    "progress": lambda full: lifecycle.progress(
        full.db, (run := a_run(full, True)).id, owner(run), Result(Outcome.PENDING)
    ),
    "finish": lambda full: lifecycle.finish(full.db, (run := a_run(full, True)).id, owner(run), SUCCEEDED),
    "refuse": lambda full: lifecycle.fail_dispatch(full.db, a_run(full).id, Failure("x.y", "no")),
    "lose": lambda full: lifecycle.fail_lost(full.db, a_run(full, True), 30),
    "mark dispatched by a rescuer": lambda full: lifecycle.mark_dispatched(full.db, a_run(full).id, by_rescuer=True),
    "redispatch": lambda full: lifecycle.redispatch(full.db, a_run(full).id, 60),
    "read": lambda full: notifications.mark_read(full.db, full.user.id, run_id=17),
    "read all": lambda full: notifications.mark_read(full.db, full.user.id, up_to=17),
}


@pytest.mark.parametrize("ask", QUESTIONS.values(), ids=QUESTIONS)
def test_no_statement_walks_a_large_table(full: Full, ask: Callable[[Full], object]) -> None:
    with sent_statements(full.db) as sent:
        ask(full)
    assert sent
    for statement, parameters in sent:
        assert walked(full.db, statement, parameters) == [], statement


@pytest.mark.parametrize(
    ("question", "index"),
    [
        ("workers", "ix_operation_runs_active"),
        ("lost runs", "ix_operation_runs_active"),
        ("waiting runs", "ix_operation_runs_active"),
        ("how much waits", "ix_operation_runs_active"),
        ("the oldest ahead", "ix_operation_runs_active"),
        ("what is usual", "ix_operation_runs_tenant_id_type_outcome_created_at_id"),
        ("an active twin", "uq_operation_runs_active_identity"),
        ("a twin", "uq_operation_runs_active_identity"),
        ("many twins", "uq_operation_runs_active_identity"),
        ("number of unread", "ix_notifications_unread"),
        ("unread", "ix_notifications_unread"),
        ("list", "ix_operation_runs_tenant_id_created_at_id"),
        ("counts", "ix_operation_runs_tenant_id_outcome_created_at_id"),
        ("tab Failed", "ix_operation_runs_open"),
        ("tab Failed, mine", "ix_operation_runs_open_user"),
        ("tab Failed, type:some.type3", "ix_operation_runs_open_type"),
        ("list, acked", "ix_operation_runs_acknowledged"),
        ("tab Active", "ix_operation_runs_tenant_id_outcome_created_at_id"),
        ("list, status:preview", "ix_operation_runs_tenant_id_outcome_created_at_id"),
        ("counts, status:preview", "ix_operation_runs_tenant_id_outcome_created_at_id"),
        ("counts, -status:preview", "ix_operation_runs_tenant_id_outcome_created_at_id"),
        ("list, mine status:preview", "ix_operation_runs_tenant_id_user_id_outcome_created_at_id"),
        ("counts, mine", "ix_operation_runs_tenant_id_user_id_outcome_created_at_id"),
        ("list, by:system", "ix_operation_runs_tenant_id_user_id_outcome_created_at_id"),
        ("list, type:some.type3", "ix_operation_runs_tenant_id_type_outcome_created_at_id"),
        ("counts, type:some.type3", "ix_operation_runs_tenant_id_type_outcome_created_at_id"),
        ("list, code:x.*", "ix_operation_runs_failures"),
        ("groups by their whole names", "ix_directory_groups_tenant_id_display_name"),
        ("list, mine", "ix_operation_runs_tenant_id_user_id_outcome_created_at_id"),
    ],
)
def test_what_is_asked_again_and_again_uses_the_index_made_for_it(full: Full, question: str, index: str) -> None:
    with sent_statements(full.db) as sent:
        QUESTIONS[question](full)
    statement, parameters = sent[-1]
    explained = "EXPLAIN QUERY PLAN " if full.db.is_sqlite else "EXPLAIN "
    plan = "\n".join(str(tuple(row)) for row in explain(full.db, explained + statement, parameters))
    assert index in plan, plan
    if question == "workers" and not full.db.is_sqlite:  # SQLite reads them as they lie: it has no statistics
        assert "ix_workers_alive" in plan, plan


@pytest.mark.parametrize("set_id", [None, 1])
def test_what_policies_were_is_one_step_for_each_however_many_versions_it_has(full: Full, set_id: int | None) -> None:
    with sent_statements(full.db) as sent:
        if set_id is None:
            sides = drift_sides.between_reads(full.db, full.tenants[0].id, ["kind0"])
        else:
            sides = drift_sides.since_backup(full.db, full.tenants[0].id, set_id, ["kind0"])
    assert sides[0].after
    of_versions = [one for one in sent if "FROM policies JOIN policy_versions" in one[0]]
    assert len(of_versions) == (2 if set_id is None else 1)
    for statement, parameters in of_versions:
        plan = explain(full.db, ("EXPLAIN QUERY PLAN " if full.db.is_sqlite else "EXPLAIN ") + statement, parameters)
        assert "ix_policy_versions_policy_id_id" in str(plan)
        # PostgreSQL may rightly walk the few thousand versions that are here, for all of a kind.
        assert not full.db.is_sqlite or walked(full.db, statement, parameters) == []


def test_rescues_are_looked_up_from_the_newest_back_and_their_runs_by_id(full: Full) -> None:
    """The other way round, through all runs of one's tenants, is no walk of the table and yet as long."""
    with full.db.read() as connection:
        of = access.read_memberships(connection, full.user.id)
        with sent_statements(full.db) as sent:
            store_rescues.recent(connection, of)
    ((statement, parameters),) = sent
    explained = "EXPLAIN QUERY PLAN " if full.db.is_sqlite else "EXPLAIN "
    plan = "\n".join(str(tuple(row)) for row in explain(full.db, explained + statement, parameters))
    assert "ix_operation_runs" not in plan, plan


def test_every_order_of_a_list_ends_in_the_id(full: Full) -> None:
    """Without it, pages lose runs that were opened at the same instant; an index often hides that."""
    with sent_statements(full.db) as sent:
        QUESTIONS["list, second page"](full)
    orders = re.findall(r"ORDER BY (.*)", sent[-1][0])
    assert len(orders) >= 3
    assert [order for order in orders if not re.search(r"created_at DESC, \S*\bid DESC", order)] == []


def test_a_walk_would_be_noticed(full: Full) -> None:
    statement = sa.select(sa.func.count()).select_from(sa.text("operation_runs")).where(sa.text("initiator_name = :x"))
    with sent_statements(full.db) as sent, full.db.read() as connection:
        connection.execute(statement, {"x": "y"})
    assert [len(walked(full.db, *one)) for one in sent] == [1 if full.db.is_sqlite else 2]


@pytest.mark.parametrize(
    ("line", "index"), [("retry-of:17", "ix_operation_runs_retry_of_id"), ("code:x.y", "ix_operation_runs_failures")]
)
def test_sqlite_takes_the_index_that_it_is_told(full: Full, line: str, index: str) -> None:
    """Without statistics it would take the index of all runs, which is a second at a million of them."""
    if not full.db.is_sqlite:
        pytest.skip("PostgreSQL has statistics")
    with sent_statements(full.db) as sent:
        snapshot.take(full.db, Request(full.user.id, parse_line(line)))
    plans = [str(row[-1]) for text, values in sent for row in explain(full.db, "EXPLAIN QUERY PLAN " + text, values)]
    assert any(f"INDEX {index}" in plan for plan in plans)
