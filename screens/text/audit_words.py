"""An audit event in words, for the screens and the command line: what was done, and its details."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from store.people import audit

#: What each action is called; the subject follows in its own column.
ACTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        audit.TENANT_ADDED: "added the tenant",
        audit.USER_ADDED: "added the user",
        audit.ROLE_GRANTED: "granted a role",
        audit.ROLE_REVOKED: "revoked a role",
        audit.SCHEDULE_ADDED: "added a schedule",
        audit.SCHEDULE_CHANGED: "changed a schedule",
        audit.SCHEDULE_REMOVED: "removed a schedule",
        audit.BACKUP_EXPORTED: "exported a backup",
        audit.BACKUP_IMPORTED: "imported a backup",
        audit.DRIFT_ACCEPTED: "accepted drift",
        audit.RESTORE_PLANNED: "planned a restore",
        audit.RESTORE_EXECUTED: "executed a restore",
        audit.RESTORE_RESUMED: "continued a restore",
        audit.TENANT_SETTING_CHANGED: "changed a setting",
        audit.QUEUE_PAUSED: "paused the queue",
        audit.QUEUE_RESUMED: "resumed the queue",
        audit.RUN_STARTED: "started",
        audit.RUN_RETRIED: "retried",
        audit.RUN_ACKNOWLEDGED: "acknowledged",
        audit.RUN_UNACKNOWLEDGED: "took back an ack",
    }
)


def action(name: str) -> str:
    """What was done, in words; an action of another version of opsmon under its own name."""
    return ACTIONS.get(name, name)


def detail(found: Any) -> str:
    """An event's details as `role=operator before=readonly`; "" for none. The text is not cleaned."""
    if not isinstance(found, Mapping):
        return "" if found is None else _value(found)
    return " ".join(f"{key}={_value(value)}" for key, value in found.items())


def _value(value: Any) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
