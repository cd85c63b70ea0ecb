"""`restore.preview`: reads the target of a restore afresh, and says for each object what the restore would do with it."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from store.errors import OperationFailed
from store.intune import group_search
from store.intune.restore_records import PlannedItem, Work, WorkItem
from store.runs import restore_states, restore_work
from tasks.graph.resources import BY_NAME, KINDS
from tasks.operations.restore.names import told
from tasks.operations.restore.order import in_order
from tasks.operations.tenant_graph import tenant_graph
from tasks.sdk.context import RunContext
from tasks.sdk.operation import operation

if TYPE_CHECKING:
    from tasks.operations.restore.planning import Plan, Planner
    from tasks.operations.restore.resolving import Resolver
    from tasks.operations.restore.target import Target

_WORDS: Final = ("create", "update", "same", "exists", "blocked", "ambiguous")


@operation(
    restore_states.PREVIEW,
    label="Preview restore",
    identity=[restore_states.PARAMETER],
    timeout=4 * 3600,
    right="manager",
)
def preview(run: RunContext, restore_run_id: int) -> None:
    """Read the target tenant of a restore, and say what would be done with each object. Nothing is written to the tenant.

    Args:
        restore_run_id: the number of the restore; its groups are all mapped or skipped
    """
    # Imported only when a worker carries out a run, not by every screen that lists operations.
    from tasks.operations.restore.planning import Planner
    from tasks.operations.restore.resolving import Resolver
    from tasks.operations.restore.target import Target

    db = run.tools.db
    work = restore_work.begin_preview(db, run.id, run.tenant.id, restore_run_id)
    run.note("restore_run_id", restore_run_id)
    run.total(len(work.items))
    with tenant_graph(run) as graph:
        target = Target(graph, lambda text: run.log(text, "warning"))
        resolver = Resolver(work, target, previewing=True)
        planner = Planner(resolver, target, work.restore.mode, work.restore.ticks)
        names = names_of(run, work)
        if work.restore.mode == "update":
            _read_ahead(run, resolver, target)
        planned = [_planned(run, work, one, planner, names, place) for place, one in enumerate(ordered(work.items))]
    held = restore_work.end_preview(db, run.id, restore_run_id, planned)
    counts = Counter(one.action for one in planned)
    run.log(", ".join(f"{counts[word]} {word}" for word in _WORDS if counts[word]) or "nothing to do")
    run.note("preview_of_run", held.id)


def _read_ahead(run: RunContext, resolver: Resolver, target: Target) -> None:
    """Read what the items are in the target, many at once. What cannot be read so is asked for by itself."""
    for kind in KINDS:
        ids = {found.id for key, found in resolver.matches.items() if key[0] == kind.name and found.state == "found"}
        with contextlib.suppress(OperationFailed):
            for _ in target.read_ahead(kind, ids) if ids else ():
                run.check()


def ordered(items: Iterable[WorkItem]) -> list[WorkItem]:
    """The items in the order of the restore: what others refer to first. Kinds that nobody knows are last."""
    from tasks.operations.restore.planning import refs_of
    from tasks.operations.restore.resolving import key_of

    by_key = {key_of(one.backup.kind, one.backup.external_id): one for one in items}
    known = [(key, BY_NAME[key[0]], refs_of(one)) for key, one in by_key.items() if key[0] in BY_NAME]
    keys = in_order(known)
    return [by_key[key] for key in (*keys, *(key for key in by_key if key[0] not in BY_NAME))]


def names_of(run: RunContext, work: Work) -> dict[str, str]:
    """The names of the source tenant's groups and of filters by their ids in lower case, as the backup has them."""
    found = {it.id.lower(): it.name for one in work.items for it in one.backup.references if it.name}
    lacking = {one.source_id for one in work.groups} - found.keys()
    if lacking:
        cached = group_search.names_of(run.tools.db, work.restore.source_tenant_id, list(lacking))
        found |= {id_.lower(): name for id_, name in cached.items()}
    return found


def _planned(
    run: RunContext, work: Work, one: WorkItem, planner: Planner, names: dict[str, str], place: int
) -> PlannedItem:
    run.check()
    try:
        plan = planner.plan(one)
    except OperationFailed as error:
        if error.failure_code == "graph.unauthorized":
            raise
        plan = unreadable(error)
        run.failed(error.failure_code, f"{told(work.restore, one)}: {error.message}")
    else:
        _count(run, work, one, plan)
    return PlannedItem(one.item.id, place, plan.action, plan.target_id, plan.as_json(names))


def _count(run: RunContext, work: Work, one: WorkItem, plan: Plan) -> None:
    """An object of which the target could not be asked was not previewed; all else was, whatever came of it."""
    code, words = next((reason for reason in plan.reasons if reason[0].startswith("graph.")), ("", ""))
    if code:
        run.failed(code, f"{told(work.restore, one)}: {words}")
    else:
        run.success()


def unreadable(error: OperationFailed) -> Plan:
    """The plan of an item of which the target could not be asked."""
    from tasks.operations.restore.planning import Plan

    return Plan("blocked", reasons=((error.failure_code, error.message),))
