"""The audit trail: who did what, and from where. An event is written in the transaction of its change, and never changed."""

from __future__ import annotations

import os
import pwd
import socket
from typing import Any

import sqlalchemy as sa

from store.model.tables import audit_events
from store.model.types import wall_clock

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
) -> None:
    """Write an audit event: `login` did `action` to `subject`.

    `user_id` is None if the login is not a user. `tenant_id` is None for an action that concerns no single tenant.
    `reason` is what they gave for it.
    """
    values = {"login": login, "user_id": user_id, "origin": _origin(), "tenant_id": tenant_id, "detail": detail}
    values["reason"] = reason
    connection.execute(sa.insert(audit_events).values(action=action, subject=subject, at=wall_clock(), **values))


def _origin() -> str:
    """The operating system's login and host. On an embedded database `--as` changes the user, but not this."""
    uid = os.getuid()
    try:
        login = pwd.getpwuid(uid).pw_name
    except KeyError:
        login = str(uid)
    return f"{login}@{socket.gethostname()}"
