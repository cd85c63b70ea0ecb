"""The audit trail: who did what, and from where. An event is written in the transaction of its change, and never changed."""

from __future__ import annotations

import datetime as dt
import functools
import os
import pwd
import socket
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from store.model.tables import audit_events, tenants, users
from store.model.types import at_most, wall_clock

#: The actions.
TENANT_ADDED = "tenant.added"
USER_ADDED = "user.added"
ROLE_GRANTED = "role.granted"
ROLE_REVOKED = "role.revoked"
SCHEDULE_ADDED = "backup_schedule.added"
SCHEDULE_CHANGED = "backup_schedule.changed"
SCHEDULE_REMOVED = "backup_schedule.removed"
BACKUP_EXPORTED = "backup_set.exported"
BACKUP_IMPORTED = "backup_set.imported"
DRIFT_ACCEPTED = "drift.accepted"
RESTORE_PLANNED = "restore.planned"
RESTORE_EXECUTED = "restore.executed"
RESTORE_RESUMED = "restore.continued"
TENANT_SETTING_CHANGED = "tenant.setting_changed"
QUEUE_PAUSED = "queue.paused"
QUEUE_RESUMED = "queue.resumed"
RUN_STARTED = "run.started"
RUN_RETRIED = "run.retried"
RUN_ACKNOWLEDGED = "run.acknowledged"
RUN_UNACKNOWLEDGED = "run.unacknowledged"


#: Events of a run that its timeline shows at most, the newest.
OF_RUN: Final = 50


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """A row of `audit_events`, with the slug of its tenant and the name of its user."""

    id: int
    at: dt.datetime
    #: Who did it: the login, and the name for people, which is the login's where no user is known.
    login: str
    name: str
    #: Login and host of the operating system.
    origin: str
    #: None for an action that concerns no single tenant.
    tenant: str | None
    action: str
    subject: str
    #: The run that it is about; None for other subjects.
    run_id: int | None
    detail: Any
    reason: str | None


def event_columns(source: sa.FromClause = audit_events) -> list[sa.ColumnElement[Any]]:
    """The columns that `event_from` needs, of `source` (the table, or a subquery with its columns), outer joined with `tenants`
    and `users`.
    """
    event = source.c
    name = sa.func.coalesce(users.c.name, event.login)
    who = (event.id, event.at, event.login, name, event.origin, tenants.c.slug)
    return [*who, event.action, event.subject, event.run_id, event.detail, event.reason]


def event_from(row: sa.Row[Any]) -> AuditEvent:
    """Map a row of `event_columns`."""
    return AuditEvent(*tuple(row))


def of_run(connection: sa.Connection, run_id: int, limit: int = OF_RUN) -> tuple[AuditEvent, ...]:
    """The newest events about the run, oldest first. Checks no right."""
    event = audit_events.c
    query = sa.select(*event_columns()).where(event.run_id == run_id)
    query = query.outerjoin(tenants, tenants.c.id == event.tenant_id).outerjoin(users, users.c.id == event.user_id)
    rows = connection.execute(query.order_by(event.id.desc()).limit(at_most(limit))).all()
    return tuple(event_from(row) for row in reversed(rows))


def record(
    connection: sa.Connection,
    action: str,
    subject: str,
    *,
    login: str,
    user_id: int | None,
    tenant_id: int | None = None,
    detail: dict[str, Any] | None = None,
    reason: str | None = None,
    run_id: int | None = None,
) -> None:
    """Write an audit event: `login` did `action` to `subject`.

    `user_id` is None if the login is not a user. `tenant_id` is None for an action that concerns no single tenant.
    `reason` is what they gave for it. `run_id` is the run that the event is about, whose timeline shows it.
    """
    values = {"login": login, "user_id": user_id, "origin": origin(), "tenant_id": tenant_id, "detail": detail}
    values |= {"reason": reason, "run_id": run_id}
    connection.execute(sa.insert(audit_events).values(action=action, subject=subject, at=wall_clock(), **values))


@functools.cache
def origin() -> str:
    """The operating system's login and host. On an embedded database `--as` changes the user, but not this."""
    uid = os.getuid()
    try:
        login = pwd.getpwuid(uid).pw_name
    except KeyError:
        login = str(uid)
    return f"{login}@{socket.gethostname()}"
