"""`restore.execute`: carries out a restore that somebody has previewed and confirmed, object by object."""

from __future__ import annotations

from store.intune.restore_records import WorkItem
from store.runs import restore_states, restore_work
from tasks.operations.restore import undo
from tasks.operations.tenant_graph import tenant_graph
from tasks.sdk.context import RunContext
from tasks.sdk.operation import operation


@operation(
    restore_states.TYPE,
    label=restore_states.LABEL,
    identity=[restore_states.PARAMETER],
    timeout=12 * 3600,
    right="manager",
    only_from="its restore",
)
def execute(run: RunContext, restore_run_id: int) -> None:
    """Make and change objects of the tenant as a restore has previewed it. Nothing else is written, and nothing is deleted.

    Args:
        restore_run_id: the number of the restore
    """
    # Imported only when a worker carries out a run, not by every screen that lists operations.
    from tasks.operations.restore.execution import Execution
    from tasks.operations.restore.planning import Planner
    from tasks.operations.restore.resolving import Resolver
    from tasks.operations.restore.target import Target

    work = restore_work.begin_execution(run.tools.db, run.id, run.tenant.id, restore_run_id)
    restore = work.restore
    run.note("restore_run_id", restore.id)
    run.total(len(work.items))
    if restore.dry_run:
        run.log("dry run: everything but the writes")
    else:
        undo.keep(run, restore, [one for one in work.items if _overwrites(one)])
    with tenant_graph(run) as graph:
        target = Target(graph, lambda text: run.log(text, "warning"))
        resolver = Resolver(work, target, previewing=restore.dry_run)
        planner = Planner(resolver, target, restore.mode, restore.ticks)
        execution = Execution(run, work, graph, target, resolver, planner)
        for one in work.items:
            execution.carry_out(one)


def _overwrites(one: WorkItem) -> bool:
    """Whether it changes an object that no earlier attempt has made."""
    intent = one.item.intent
    is_ours = intent.get("made") == one.item.target_id and intent.get("created") is True
    before = intent.get("before")
    if "made" not in intent and isinstance(before, list):  # its request may have been carried out, and is adopted then
        is_ours = one.item.target_id not in before
    return one.item.action == "update" and not one.item.is_skipped and not is_ours
