"""Tenants, users, workers and runs for tests, made the way opsmon makes them."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from store.db.engine import Database
from store.model.records import Counts, Failure, Notification, Outcome, Run, Tenant, User
from store.model.tables import notifications, operation_runs
from store.people import access, admin
from store.people.access import Role
from store.people.notifications import notification_from
from store.runs import lifecycle
from store.runs.identity import identity_hash
from store.runs.lifecycle import NewRun, Result
from store.workers import heartbeats

_numbers = itertools.count(1)

SUCCEEDED = Result(Outcome.SUCCEEDED, Counts(1, 1))
FAILED = Result(Outcome.FAILED, Counts(1, 0, 1), (Failure("operation.error", "no"),))


def make_tenant(db: Database, slug: str = "") -> Tenant:
    return admin.add_tenant(db, slug or f"tenant-{next(_numbers)}")


def make_user(db: Database, login: str = "", **roles: Role) -> User:
    """`roles` are by the tenant's slug."""
    user = admin.add_user(db, login or f"user{next(_numbers)}")
    for slug, role in roles.items():
        admin.grant(db, user.login, slug, role)
    return user


def make_worker(db: Database) -> int:
    return heartbeats.register(db, host="here", pid=next(_numbers), version="1", slots=4, embedded=False)


def new_run(tenant: Tenant, user: User | None = None, key: object = "", **changed: Any) -> NewRun:
    """`key` tells runs apart: the same key is the same identity."""
    new = NewRun(
        tenant_id=tenant.id,
        user_id=user.id if user else None,
        initiator_name=user.name if user else access.SYSTEM,
        type="inventory.sync",
        label="Sync inventory",
        run_identity_hash=identity_hash(tenant.id, "inventory.sync", {"key": key}),
        context={"parameters": {"key": key}},
    )
    return replace(new, **changed)


def open_run(db: Database, tenant: Tenant, user: User | None = None, key: object = None, **changed: Any) -> Run:
    """A queued run of an identity that nobody else has, unless `key` says which."""
    run, opened = lifecycle.create_or_attach(
        db, new_run(tenant, user, next(_numbers) if key is None else key, **changed)
    )
    assert opened
    return run


def start_run(db: Database, tenant: Tenant, user: User | None = None, worker_id: int | None = None) -> Run:
    """A running run."""
    run = lifecycle.claim(db, open_run(db, tenant, user).id, worker_id or make_worker(db))
    assert run
    return run


def end_run(db: Database, run: Run, result: Result = SUCCEEDED) -> Run:
    """The run completed, whatever it was before."""
    if run.worker_id is None:
        run = lifecycle.claim(db, run.id, make_worker(db)) or run
    assert run.worker_id
    done = lifecycle.finish(db, run.id, run.worker_id, result)
    assert done
    return done


def told(db: Database, run: Run | int) -> list[Notification]:
    """Every notification about the run, whoever is told, in the order in which they were written."""
    query = sa.select(notifications, operation_runs.c.outcome).join(operation_runs).order_by(notifications.c.id)
    with db.read() as connection:
        found = [notification_from(dict(row)) for row in connection.execute(query).mappings()]
    return [note for note in found if note.run_id == (run if isinstance(run, int) else run.id)]


def kinds_told(db: Database, run: Run | int) -> list[str]:
    return [note.kind for note in told(db, run)]


def make_older(db: Database, table: sa.Table, row_id: int, column: str, seconds: float) -> None:
    """Put an instant of a row into the past, by the database's clock."""
    from store.model.types import seconds_ago

    change = sa.update(table).where(table.c.id == row_id).values({column: seconds_ago(sa.literal(seconds, sa.Float))})
    with db.write() as connection:
        connection.execute(change)


def all_users(db: Database) -> tuple[User, ...]:
    """Every user of the system, by login."""
    with db.read() as connection:
        return admin.read_users(connection)
