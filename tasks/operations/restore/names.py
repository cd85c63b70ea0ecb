"""What a restore calls its items in the record of a run."""

from __future__ import annotations

from store.intune.restore_records import Restore, WorkItem
from tasks.graph.resources import BY_NAME


def told(restore: Restore, one: WorkItem) -> str:
    """An item in the log and the failures of a run. All members of the target tenant read them: in a restore from another
    tenant, whose names they must not learn, an item is called by its number.
    """
    label = BY_NAME[one.backup.kind].label if one.backup.kind in BY_NAME else one.backup.kind
    return f"{label}: {one.backup.name if restore.is_same_tenant else f'item {one.item.id}'}"
