"""`restore.execute`: carries out a restore that somebody has previewed and confirmed, object by object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from store.errors import OperationFailed
from store.intune.restore_records import Restore, Work, WorkItem
from store.runs import restore_states, restore_work
from store.runs.restore_work import Became
from tasks.graph.answers import ApprovalRequired
from tasks.graph.resources import BY_NAME
from tasks.operations.restore import undo
from tasks.operations.restore.names import told
from tasks.operations.tenant_graph import tenant_graph
from tasks.sdk.context import RunContext
from tasks.sdk.operation import operation

if TYPE_CHECKING:
    from tasks.graph.client import GraphClient
    from tasks.operations.restore.planning import Plan, Planner
    from tasks.operations.restore.resolving import Resolver
    from tasks.operations.restore.target import Target

LEFT_OUT: Final = "restore.left_out"
EXISTS: Final = "restore.exists"
NOT_KEPT: Final = "restore.not_kept"
_HELPS_NOT: Final = "graph.unauthorized"


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
        execution = _Execution(run, work, graph, target, resolver, planner)
        for one in work.items:
            execution.carry_out(one)


def _overwrites(one: WorkItem) -> bool:
    return one.item.action == "update" and not one.item.is_skipped and not one.item.intent.get("made")


@dataclass
class _Execution:
    run: RunContext
    work: Work
    graph: GraphClient
    target: Target
    resolver: Resolver
    planner: Planner

    @property
    def restore(self) -> Restore:
        return self.work.restore

    def carry_out(self, one: WorkItem) -> None:
        """Carry out one item, note what became of it, and count it. What fails does not stop the others."""
        self.run.check()
        try:
            became = self._carry_out(one)
        except ApprovalRequired as error:
            became = Became("waiting", "restore.waits_for_approval", f"approval {error.approval_code}")
        except OperationFailed as error:
            if error.failure_code == _HELPS_NOT:
                raise
            became = Became("failed", error.failure_code, error.message)
        self._count(one, became)
        if not self.restore.dry_run:
            noted = Became(became.result, became.code, became.message, self.graph.request_id or None)
            restore_work.note_result(self.run.tools.db, self.run.id, one.item.id, noted)

    def _count(self, one: WorkItem, became: Became) -> None:
        name = told(self.restore, one)
        if became.result == "done":
            self.run.success()
        elif became.result == "skipped":
            self.run.skipped()
        else:
            detail = f": {became.message}" if became.message and self.restore.is_same_tenant else ""
            self.run.failed(became.code or "operation.error", name + detail)

    def _carry_out(self, one: WorkItem) -> Became:
        if one.item.is_skipped:
            return Became("skipped", LEFT_OUT, "left out by choice")
        if one.item.action == "exists":
            return Became("skipped", EXISTS, "it is there already, and only what is missing is created")
        plan = self.planner.plan(one)
        if why := self._disagreement(one, plan):
            return Became("failed", plan.reasons[0][0] if plan.reasons else "restore.changed", why)
        if plan.action != "same":
            id_ = plan.target_id if self.restore.dry_run else self._write(one, plan)
            if id_ is not None:
                self.resolver.made(one.backup.kind, one.backup.external_id, id_)
        return _with_assignments(plan)

    def _disagreement(self, one: WorkItem, plan: Plan) -> str:
        if one.item.intent.get("approval"):  # a part may have been carried out since the preview
            return plan.reasons[0][1] if plan.reasons else ""
        return plan.disagreement(one.item)

    def _write(self, one: WorkItem, plan: Plan) -> str:
        from tasks.operations.restore.writing import ItemWriter

        def note(intent: Any, target_id: str | None) -> None:
            self.run.check()
            restore_work.note_intent(self.run.tools.db, self.run.id, one.item.id, intent, target_id)

        reason = self.restore.reason or f"opsmon restore {self.restore.id}"
        kind = BY_NAME[one.backup.kind]
        others = self.resolver.ids.values()
        return ItemWriter(self.graph, self.target, kind, one, plan, note, reason, others).carry_out()


def _with_assignments(plan: Plan) -> Became:
    """What became of an item whose requests were all carried out: done, if every assignment was kept or left out by choice."""
    failed = [one for one in plan.assignments.outcomes if one.state == "failed"]
    if not failed:
        return Became("done")
    counts = plan.assignments.counts
    words = f"{counts['failed']} of {len(plan.assignments.outcomes)} assignments: {failed[0].words}"
    return Became("failed", NOT_KEPT, words)
