"""`directory_groups.sync`: keeps the cache of a tenant's groups, without their members.

The first round reads all groups; later ones read what changed since, by a delta link. Graph ends a link after seven
days: a day before, and whenever Graph does not know the link any more, a complete round is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from store.intune import directory
from store.intune.directory import KEPT_DAYS, PROPERTIES, Changes, DirectoryState
from tasks.operations.tenant_graph import tenant_graph
from tasks.sdk.context import RunContext
from tasks.sdk.operation import operation

if TYPE_CHECKING:
    from tasks.graph.client import GraphClient

PATH: Final = "/groups/delta"
#: Without it, the members of each group would come along.
SELECT: Final = {"$select": ",".join(("id", *PROPERTIES))}
#: How often a run begins from the beginning, after Graph refused to go on.
MAX_RESTARTS: Final = 2


@operation("directory_groups.sync", label="Sync groups", identity=[], timeout=2 * 3600)
def sync(run: RunContext) -> None:
    """Read the tenant's groups into the cached directory, without their members."""
    from tasks.graph.answers import SyncExpired

    db, tenant = run.tools.db, run.tenant.id
    state = directory.state(db, tenant)
    with tenant_graph(run) as graph:
        for restarts in range(MAX_RESTARTS + 1):
            try:
                changes, unseen = _round(run, graph, state)
                break
            except SyncExpired:
                if restarts == MAX_RESTARTS:
                    raise
                run.log("Graph no longer knows the last round: started again from the beginning", "warning")
                state = DirectoryState()
    purged = directory.purge(db, tenant)
    how = "changed" if state.link else "in all"
    told = [f"{changes.there} groups {how}", f"{changes.removed + unseen} removed"]
    run.log(", ".join(told) + (f", {purged} forgotten that were removed {KEPT_DAYS} days ago" if purged else ""))


def _round(run: RunContext, graph: GraphClient, state: DirectoryState) -> tuple[Changes, int]:
    """Read one round. Returns what it brought, and how many groups a complete one did not bring."""
    from tasks.graph.delta import DeltaRound

    db, tenant = run.tools.db, run.tenant.id
    number = state.round if state.link else directory.begin_round(db, tenant, run.id)
    reading = DeltaRound(graph, PATH, SELECT, state.link)
    changes = Changes()
    seen: set[str] = set()
    for page in reading.pages():
        run.check()
        changes += directory.apply(db, tenant, number, page)
        # An object may come twice, also in a later page: it is one object.
        new = {str(item["id"]) for item in page if item.get("id")} - seen
        seen |= new
        run.success(len(new))
    unseen = directory.end_round(db, tenant, run.id, number, reading.link, complete=not state.link)
    return changes, unseen
