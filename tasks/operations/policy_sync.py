"""`policy.sync`: reads every policy whole, with its assignments, and keeps a version of each that changed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from store.errors import OperationFailed
from store.intune import versions
from store.intune.versions import Recorded
from tasks.graph.resource import GraphResource, KindName
from tasks.operations.tenant_graph import Rhythm, fail_kind, kinds_named, seen_policy, tenant_graph
from tasks.operations.whole_policies import count, read_policies
from tasks.sdk.context import RunContext
from tasks.sdk.operation import operation

if TYPE_CHECKING:
    from tasks.graph.client import GraphClient
    from tasks.graph.whole import WholeObject

_WORDS: Final = {
    "secret_unreadable": "with secrets that Graph does not give",
    "reference_lost": "with a reference that leads nowhere",
}


@operation("policy.sync", label="Sync policies", identity=["kinds"], timeout=4 * 3600)
def sync(run: RunContext, kinds: tuple[KindName, ...] | None = None) -> None:
    """Read every policy whole, with its assignments.

    Args:
        kinds: the kinds of policy to read; all when left empty
    """
    with tenant_graph(run) as graph:
        syncing = _Sync(run, graph)
        for kind in kinds_named(kinds):
            syncing.read(kind)
        syncing.keep()


@dataclass
class _KindRead:
    """What is known of a kind while it is read."""

    kind: GraphResource
    seen: set[str] = field(default_factory=set)
    #: Read and not stored yet, by id.
    unkept: dict[str, WholeObject] = field(default_factory=dict)
    #: It was read to its end: only then is it known which objects are gone.
    complete: bool = False
    recorded: Recorded = field(default_factory=Recorded)
    gaps: Counter[str] = field(default_factory=Counter)

    def told(self) -> str:
        """A line for the log."""
        parts = [f"{len(self.seen)} {self.kind.label}"]
        numbers = {"new": self.recorded.new, "changed": self.recorded.changed}
        parts += [f"{number} {word}" for word, number in numbers.items() if number]
        parts += [f"{self.gaps[code]} {words}" for code, words in _WORDS.items() if self.gaps[code]]
        return ", ".join(parts + ([f"{self.recorded.gone} missing since the last sync"] if self.recorded.gone else []))


@dataclass
class _Sync:
    """The sync of all kinds: small ones go into one transaction together."""

    run: RunContext
    graph: GraphClient
    #: The kinds of which something is not stored yet, or not told.
    reads: dict[str, _KindRead] = field(default_factory=dict)
    rhythm: Rhythm = field(default_factory=Rhythm)

    def read(self, kind: GraphResource) -> None:
        """Read one kind. If its list cannot be read, only this kind fails; refused credentials end the run."""
        from tasks.graph.whole import read_whole

        reading = self.reads[kind.name] = _KindRead(kind)
        try:
            for chunk in read_whole(self.graph, kind, lambda text: self.run.log(text, "warning")):
                self.run.check()
                # A page may repeat an object: the last of a chunk counts, and none of a later chunk.
                fresh = {str(one.listed["id"]): one for one in chunk if not one.gone}
                fresh = {id_: one for id_, one in fresh.items() if id_ not in reading.seen}
                reading.seen |= fresh.keys()
                reading.unkept |= fresh
                if self.rhythm.is_due(sum(len(one.unkept) for one in self.reads.values())):
                    self.keep()
                    self.reads[kind.name] = reading
        except OperationFailed as error:
            fail_kind(self.run, self.graph, kind, error, len(reading.seen))
        else:
            reading.complete = True

    def keep(self) -> None:
        """Store what was read, count it, and tell what became of each kind that was read to its end."""
        db, tenant = self.run.tools.db, self.run.tenant.id
        seen = {
            name: [seen_policy(one.kind, whole.listed) for whole in one.unkept.values()]
            for name, one in self.reads.items()
        }
        read = read_policies(db, {name: one.unkept.values() for name, one in self.reads.items()})
        complete = [name for name, one in self.reads.items() if one.complete]
        recorded = versions.record(db, tenant, self.run.id, seen, read, complete)
        for name, reading in self.reads.items():
            reading.recorded += recorded.get(name, Recorded())
            for whole in reading.unkept.values():
                count(self.run, reading.kind, whole)
                if whole.failure is None:
                    reading.gaps.update({gap.code for gap in whole.gaps})
            reading.unkept = {}
            if reading.complete:
                self.run.log(reading.told())
        self.reads = {}
