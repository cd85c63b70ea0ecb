"""What the tests of cases share: small bodies as Graph has them, and what a backup or a comparison made of them."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from store.model.records import Run
from store.model.tables import backup_items, backup_set_kinds, contents, drift_findings
from store.runs.outcome import FAILURE_MESSAGES
from tests.tasks.operations.conftest import Sync

NAMESPACE: Final = "#microsoft.graph."
Body = dict[str, Any]


def typed(type_: str, **more: Any) -> Body:
    """An object with its type, in short."""
    return {"@odata.type": f"{NAMESPACE}{type_}", **more}


def assigned(group: str, *, exclude: bool = False, **more: Any) -> Body:
    """An assignment to a group, made by the policy itself unless `source` says otherwise."""
    target = typed("exclusionGroupAssignmentTarget" if exclude else "groupAssignmentTarget", groupId=group)
    return {"id": f"a_{group}", "source": "direct", "target": target, **more}


def simple(definition: str, value: Any, type_: str = "StringSettingValue", **more: Any) -> Body:
    """An instance of the settings catalog with one value."""
    inner = typed(f"deviceManagementConfiguration{type_}", value=value, **more)
    return typed(
        "deviceManagementConfigurationSimpleSettingInstance", settingDefinitionId=definition, simpleSettingValue=inner
    )


def settings(*instances: Body) -> list[Body]:
    """The settings of a policy, numbered as Graph does."""
    return [{"id": str(number), "settingInstance": one} for number, one in enumerate(instances)]


def backed_up(sync: Sync, *kinds: str, **more: Any) -> Run:
    """A run that backs up these kinds."""
    return sync.run("backup_set.create", kinds=list(kinds), **more)


def told(run: Run) -> list[str]:
    """The failures in the words of the operation, without those of the code in front."""
    return [one.message.removeprefix(f"{FAILURE_MESSAGES[one.code]}: ") for one in run.failure_summary]


def items(sync: Sync) -> dict[str, Any]:
    """The items of all sets by external id, each with its body; of several, that of the newest set."""
    query = sa.select(backup_items, contents.c.body).join(
        contents, contents.c.content_hash == backup_items.c.content_hash
    )
    with sync.stage.db.read() as connection:
        return {row.external_id: row for row in connection.execute(query.order_by(backup_items.c.id))}


def gaps(row: Any) -> list[tuple[str, str]]:
    """The gaps of an item: code and detail."""
    return [(one["code"], one["detail"]) for one in row.gaps]


def kinds_of_sets(sync: Sync) -> dict[str, Any]:
    """How far the kinds are, by name."""
    with sync.stage.db.read() as connection:
        return {row.kind: row for row in connection.execute(sa.select(backup_set_kinds))}


def compared(sync: Sync, *kinds: str) -> list[tuple[Any, ...]]:
    """Sync once more and compare with the sync before: (policy, change, path, old, new, words) of each finding."""
    sync.run("policy.sync", kinds=list(kinds))
    run = sync.run("drift.generate", kinds=list(kinds))
    query = sa.select(drift_findings).where(drift_findings.c.run_id == run.id)
    with sync.stage.db.read() as connection:
        found = [
            (row.external_id, row.change, row.path, row.old, row.new, row.words) for row in connection.execute(query)
        ]
    return sorted(found, key=lambda one: one[:3])
