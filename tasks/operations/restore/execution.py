"""Carries out the items of a restore, one after the other, and notes what became of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from store.errors import OperationFailed
from store.intune.restore_records import Restore, Work, WorkItem
from store.runs import restore_work
from store.runs.restore_work import Became
from tasks.graph.answers import ApprovalRequired
from tasks.graph.client import GraphClient
from tasks.graph.resources import BY_NAME
from tasks.operations.restore.names import told
from tasks.operations.restore.planning import (
    CHANGED,
    REFUSED_FOR_TEMPLATE,
    Plan,
    Planner,
    was_refused_for_template,
)
from tasks.operations.restore.resolving import Resolver
from tasks.operations.restore.target import Target
from tasks.operations.restore.writing import WAITS, ItemWriter
from tasks.sdk.context import RunContext

LEFT_OUT: Final = "restore.left_out"
EXISTS: Final = "restore.exists"
NOT_KEPT: Final = "restore.not_kept"
_HELPS_NOT: Final = "graph.unauthorized"


@dataclass
class Execution:
    """What the items of one run share."""

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
            became = Became("waiting", WAITS, f"approval {error.approval_code}")
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
            return Became("failed", plan.reasons[0][0] if plan.reasons else CHANGED, why)
        if plan.action != "same":
            id_ = plan.target_id if self.restore.dry_run else self._write(one, plan)
            if id_ is not None:
                self.resolver.made(one.backup.kind, one.backup.external_id, id_)
        return _with_assignments(plan)

    def _disagreement(self, one: WorkItem, plan: Plan) -> str:
        if one.item.intent.get("approval"):  # a part may have been carried out since the preview
            if plan.target_id not in (None, one.item.target_id):
                return "somebody has made an object of that name since the preview"
            return plan.reasons[0][1] if plan.reasons else ""
        return plan.disagreement(one.item)

    def _write(self, one: WorkItem, plan: Plan) -> str:
        kept = {REFUSED_FOR_TEMPLATE: True} if was_refused_for_template(one) else {}

        def note(intent: Mapping[str, Any], target_id: str | None) -> None:
            self.run.check()
            restore_work.note_intent(self.run.tools.db, self.run.id, one.item.id, {**intent, **kept}, target_id)

        reason = self.restore.reason or f"opsmon restore {self.restore.id}"
        kind = BY_NAME[one.backup.kind]
        same, others = self.restore.is_same_tenant, self.resolver.ids.values()
        return ItemWriter(self.graph, self.target, kind, one, plan, note, reason, same, others).carry_out()


def _with_assignments(plan: Plan) -> Became:
    """What became of an item whose requests were all carried out: done, if every assignment was kept or left out by choice."""
    failed = [one for one in plan.assignments.outcomes if one.state == "failed"]
    if not failed:
        return Became("done")
    counts = plan.assignments.counts
    words = f"{counts['failed']} of {len(plan.assignments.outcomes)} assignments: {failed[0].words}"
    return Became("failed", NOT_KEPT, words)
