"""`inventory.sync`: reads a tenant's objects from Graph into the inventory, as lists show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from store.errors import OperationFailed
from store.intune import inventory
from tasks.graph.resource import GraphResource, KindName
from tasks.operations.tenant_graph import fail_kind, kinds_named, seen_policy, tenant_graph
from tasks.sdk.context import RunContext
from tasks.sdk.operation import operation

if TYPE_CHECKING:
    from tasks.graph.client import GraphClient


@operation("inventory.sync", label="Sync inventory", identity=["kinds"], timeout=3600)
def sync(run: RunContext, kinds: tuple[KindName, ...] | None = None) -> None:
    """Read the tenant's policies into the inventory.

    Args:
        kinds: the kinds of policy to read; all when left empty
    """
    with tenant_graph(run) as graph:
        for kind in kinds_named(kinds):
            _sync_kind(run, graph, kind)


def _sync_kind(run: RunContext, graph: GraphClient, kind: GraphResource) -> None:
    """Sync one kind. If it cannot be read, only that kind fails; refused credentials end the run."""
    seen: set[str] = set()
    try:
        for page in graph.pages(kind.path):
            run.check()
            new = [item for item in page if item.get("id") and str(item["id"]) not in seen]
            inventory.upsert(run.tools.db, run.tenant.id, run.id, kind.name, [seen_policy(kind, item) for item in new])
            # If the collection changes while it is read, a page may repeat an object: count it once.
            fresh = {str(item["id"]) for item in new}
            seen |= fresh
            run.success(len(fresh))
    except OperationFailed as error:
        fail_kind(run, graph, kind, error, len(seen))
        return
    # Only a complete read shows which objects are gone.
    gone = inventory.mark_missing(run.tools.db, run.tenant.id, run.id, kind.name)
    run.log(f"{len(seen)} {kind.label}" + (f", {gone} missing since the last sync" if gone else ""))
