"""`inventory.sync`: reads a tenant's objects from Graph into the inventory, as lists show them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from store.errors import OperationFailed
from store.intune import inventory
from tasks.graph.resource import GraphResource, KindName
from tasks.operations.tenant_graph import fail_kind, kinds_named, seen_policy, tenant_graph
from tasks.sdk.context import RunContext
from tasks.sdk.operation import operation

if TYPE_CHECKING:
    from tasks.graph.client import GraphClient


#: Objects that are stored in one transaction, at least: several pages of the catalog.
CHUNK: Final = 200


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
    unkept: list[dict[str, Any]] = []
    try:
        for page in graph.pages(kind.path):
            run.check()
            # If the collection changes while it is read, a page may repeat an object: count it once.
            fresh = {str(item["id"]): item for item in page if item.get("id") and str(item["id"]) not in seen}
            seen |= fresh.keys()
            unkept += fresh.values()
            if len(unkept) >= CHUNK:
                _keep(run, kind, unkept)
                unkept = []
    except OperationFailed as error:
        _keep(run, kind, unkept)
        fail_kind(run, graph, kind, error, len(seen))
        return
    # Only a complete read shows which objects are gone.
    gone = _keep(run, kind, unkept, complete=True)
    run.log(f"{len(seen)} {kind.label}" + (f", {gone} missing since the last sync" if gone else ""))


def _keep(run: RunContext, kind: GraphResource, items: Sequence[dict[str, Any]], *, complete: bool = False) -> int:
    """Store objects and count them. Returns how many are gone, of a kind that was read to its end."""
    seen = [seen_policy(kind, item) for item in items]
    gone = inventory.upsert(run.tools.db, run.tenant.id, run.id, kind.name, seen, complete=complete)
    run.success(len(items))
    return gone
