"""An operation for tests of schedules, in place of the one that makes backups."""

from __future__ import annotations

from opsmon import RunContext, operation


@operation("backup_schedule.run_now", label="Run backup schedule", identity=["schedule"])
def run_now(run: RunContext, schedule: int) -> None:
    """Count one item."""
    run.log(f"schedule {schedule}")
    run.success()
