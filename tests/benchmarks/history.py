"""A database as it looks after a busy month: five tenants of unequal size, ten operations, thirty days, and a few active runs."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

import psycopg
import sqlalchemy as sa

from store.db.engine import Database
from store.model.records import Counts, Failure, Outcome, Tenant, User
from store.model.tables import workers as workers_table
from store.people import access, admin
from store.people.access import Role
from store.people.admin import Administrator
from store.runs import lifecycle, seeding
from store.runs.identity import identity_hash
from store.workers import heartbeats
from tests.benchmarks.stage import me, opened
from tests.support.people import all_users

T = TypeVar("T")

DAYS = 30
#: A tenant, and its share of all runs.
TENANTS = {"contoso": 50, "fabrikam": 25, "adatum": 15, "northwind": 7, "woodgrove": 3}
#: An operation, and its share.
TYPES = {
    "inventory.sync": 40,
    "policy.sync": 20,
    "directory_groups.sync": 12,
    "drift.generate": 10,
    "backup_set.create": 6,
    "backup_set.add_policies": 4,
    "backup_schedule.run_now": 3,
    "backup_schedule.retry": 2,
    "restore.execute": 1,
    "system.probe": 2,
}
OUTCOMES = {Outcome.SUCCEEDED: 90, Outcome.PARTIALLY_SUCCEEDED: 4, Outcome.FAILED: 6}
OTHERS = 7
QUEUED, RUNNING = 12, 8


def fill(url: str, count: int) -> None:
    with opened(url) as db:
        tenants, users = people(db)
        seeding.seed_runs(db, past(count, tenants, users), batch=10_000)
        active(db, tenants, users[0])
    analyze(url)


def people(db: Database) -> tuple[Sequence[Tenant], Sequence[User]]:
    """The tenants, all of which the person who measures owns, and the users, that person first."""
    first, *others = TENANTS
    Administrator(db, me()).bootstrap_owner(first)
    for slug in others:
        admin.add_tenant(db, slug)
        admin.grant(db, me(), slug, Role.OWNER)
    for number in range(OTHERS):
        admin.add_user(db, f"colleague-{number}")
    users = sorted(all_users(db), key=lambda user: user.login != me())
    return [member.tenant for member in access.memberships_of(db, users[0].id)], users


def past(count: int, tenants: Sequence[Tenant], users: Sequence[User]) -> Iterator[seeding.SeedRun]:
    """Runs of the past, the oldest first, evenly over the days. Half of them were started by people."""
    dice = random.Random(2)  # the same history each time
    by_slug = {tenant.slug: tenant.id for tenant in tenants}
    span = DAYS * 86400 - 600
    slugs, types, outcomes = (_picks(dice, table, count) for table in (TENANTS, TYPES, OUTCOMES))
    for number, slug, type_, outcome in zip(range(count), slugs, types, outcomes, strict=True):
        items = dice.randint(1, 400)
        failed = 0 if outcome is Outcome.SUCCEEDED else dice.randint(1, items)
        user = dice.choice(users) if dice.random() < 0.5 else None
        yield seeding.SeedRun(
            by_slug[slug],
            type_,
            outcome,
            age=span * (1 - number / count) + 300,
            took=dice.uniform(1, 240),
            user_id=user.id if user else None,
            initiator_name=user.name if user else access.SYSTEM,
            label=type_.replace(".", " ").capitalize(),
            counts=Counts(items, items - failed, failed),
            failures=(Failure("graph.forbidden", f"policies/{number % 97}: access was denied", failed),)
            if failed
            else (),
            context={"parameters": {"kinds": ["configuration", "compliance"], "number": number}},
        )


def _picks(dice: random.Random, table: Mapping[T, int], count: int) -> list[T]:
    return dice.choices(list(table), list(table.values()), k=count)


def active(db: Database, tenants: Sequence[Tenant], user: User) -> None:
    worker = heartbeats.register(db, host="bench", pid=1, version="0", slots=RUNNING, embedded=False)
    for number in range(QUEUED + RUNNING):
        tenant = tenants[number % len(tenants)]
        identity = identity_hash(tenant.id, "inventory.sync", {"number": number})
        new = lifecycle.NewRun(tenant.id, user.id, user.name, "inventory.sync", "Inventory sync", identity, {})
        run, _ = lifecycle.create_or_attach(db, new)
        lifecycle.mark_dispatched(db, run.id)
        if number < RUNNING:
            lifecycle.claim(db, run.id, worker)
    lives_on(db, worker)


def lives_on(db: Database, worker: int) -> None:
    """The worker counts as alive for days: a house with a dead one, whose runs are given up, is another measure."""
    ahead = dt.datetime.now(dt.UTC) + dt.timedelta(days=10)
    with db.write() as connection:
        connection.execute(sa.update(workers_table).where(workers_table.c.id == worker).values(beat_at=ahead))


def analyze(url: str) -> None:
    """What a server does by itself in the course of a month. An SQLite file never does it, so it is not done there."""
    if not url.startswith("sqlite"):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
