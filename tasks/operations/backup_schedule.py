"""`backup_schedule.run_now` and `backup_schedule.retry`: the backup that a schedule asks for, and the last one that failed
once more.
"""

from __future__ import annotations

from store.errors import InputInvalid
from store.intune import backups, schedules
from store.intune.backup_records import NewSet
from store.intune.schedule_records import Schedule
from store.runs import lifecycle, ticking
from tasks.operations import backup_set
from tasks.operations.backup_set import Selection
from tasks.sdk.context import RunContext
from tasks.sdk.operation import operation

RETRY = "backup_schedule.retry"


@operation(ticking.TYPE, label=ticking.LABEL, identity=[ticking.PARAMETER], timeout=4 * 3600)
def run_now(run: RunContext, schedule: int) -> None:
    """Make the backup that a schedule asks for, as workers do when it is due.

    Args:
        schedule: the number of the schedule
    """
    _back_up(run, _schedule(run, schedule), run.retry_of_id)


@operation(RETRY, label="Retry backup schedule", identity=[ticking.PARAMETER], timeout=4 * 3600)
def retry(run: RunContext, schedule: int) -> None:
    """Repeat the last backup of a schedule, if it failed: what is in its set is not read again.

    Args:
        schedule: the number of the schedule
    """
    found = _schedule(run, schedule)
    failed = ticking.last_failure(run.tools.db, run.tenant.id, schedule, (ticking.TYPE, RETRY), before=run.id)
    if failed is None:
        raise InputInvalid(f"the last backup of schedule {schedule} did not fail", "start backup_schedule.run_now")
    lifecycle.note_retry(run.tools.db, run.id, failed)
    run.log(f"repeats run {failed}")
    _back_up(run, found, failed)


def _schedule(run: RunContext, schedule_id: int) -> Schedule:
    found = schedules.read(run.tools.db, schedule_id)
    if found is None or found.tenant_id != run.tenant.id:
        raise InputInvalid(f"{run.tenant.slug} has no schedule {schedule_id}", "'opsmon schedules list' shows them")
    return found


def _back_up(run: RunContext, schedule: Schedule, retry_of_id: int | None) -> None:
    settings, db = schedule.settings, run.tools.db
    selection = Selection.of(run, settings.kinds, None, "")
    if not selection.kinds:
        raise InputInvalid(f"schedule {schedule.id} names no kind that is known", "change its kinds")
    new = NewSet(settings.name, selection.told(), run.initiator, schedule_id=schedule.id)
    set_id = backups.begin(db, run.tenant.id, new, run.id, retry_of_id)
    backup_set.fill(run, set_id, selection, again=retry_of_id is not None)
    if settings.keep and (removed := backups.keep_last(db, schedule.id, settings.keep)):
        run.log(f"{removed} older backup{'s' if removed > 1 else ''} removed, {settings.keep} kept")
