"""`inventory.sync`: reads a tenant's objects from Graph into the inventory, as lists show them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from store.errors import OperationFailed
from store.intune import inventory
from store.intune.inventory import SeenPolicy
from tasks.graph.resource import GraphResource, KindName
from tasks.graph.resources import BY_NAME
from tasks.operations.tenant_graph import Rhythm, fail_kind, kinds_named, seen_policy, tenant_graph
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
        syncing = _Sync(run, graph)
        for kind in kinds_named(kinds):
            syncing.read(kind)
        syncing.keep()


@dataclass
class _Sync:
    """Objects that were read and are not stored yet: small kinds go into one transaction together."""

    run: RunContext
    graph: GraphClient
    unkept: dict[str, list[SeenPolicy]] = field(default_factory=dict)
    #: The kinds that were read to their end, and how many objects each has.
    complete: dict[str, int] = field(default_factory=dict)
    rhythm: Rhythm = field(default_factory=Rhythm)

    def read(self, kind: GraphResource) -> None:
        """Read one kind. If it cannot be read, only that kind fails; refused credentials end the run."""
        seen: set[str] = set()
        try:
            for page in self.graph.pages(kind.path):
                self.run.check()
                # If the collection changes while it is read, a page may repeat an object: count it once.
                fresh = {str(item["id"]): item for item in page if item.get("id") and str(item["id"]) not in seen}
                seen |= fresh.keys()
                unkept = self.unkept.setdefault(kind.name, [])
                unkept += [seen_policy(kind, item) for item in fresh.values()]
                if self.rhythm.is_due(sum(map(len, self.unkept.values()))):
                    self.keep()
        except OperationFailed as error:
            fail_kind(self.run, self.graph, kind, error, len(seen))
        else:
            self.complete[kind.name] = len(seen)

    def keep(self) -> None:
        """Store what was read, and count it. Only of a kind that was read to its end is it known which objects are gone."""
        db, tenant = self.run.tools.db, self.run.tenant.id
        gone = inventory.upsert(db, tenant, self.run.id, self.unkept, list(self.complete))
        self.run.success(sum(map(len, self.unkept.values())))
        for kind, number in self.complete.items():
            missing = f", {gone[kind]} missing since the last sync" if gone[kind] else ""
            self.run.log(f"{number} {BY_NAME[kind].label}{missing}")
        self.unkept, self.complete = {}, {}
