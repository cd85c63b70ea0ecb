"""`policy.sync`: reads every policy whole, with its assignments, and keeps a version of each that changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from store.errors import OperationFailed
from store.intune import versions
from store.intune.versions import ReadPolicy, Recorded
from tasks.graph.resource import GraphResource, KindName
from tasks.graph.resources import name_of
from tasks.operations.tenant_graph import Rhythm, fail_kind, kinds_named, seen_policy, tenant_graph
from tasks.sdk.context import RunContext
from tasks.sdk.operation import operation

if TYPE_CHECKING:
    from store.db.engine import Database
    from tasks.graph.client import GraphClient
    from tasks.graph.whole import WholeObject

#: Gaps without which nothing could be made of a policy again.
_NOT_READ: Final = ("content_missing", "assignments_unknown")
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
        read = _read_policies(db, self.reads)
        complete = [name for name, one in self.reads.items() if one.complete]
        recorded = versions.record(db, tenant, self.run.id, seen, read, complete)
        for name, reading in self.reads.items():
            reading.recorded += recorded.get(name, Recorded())
            for whole in reading.unkept.values():
                self._count(reading, whole)
            reading.unkept = {}
            if reading.complete:
                self.run.log(reading.told())
        self.reads = {}

    def _count(self, reading: _KindRead, one: WholeObject) -> None:
        name = f"{reading.kind.label}: {name_of(one.listed)}"
        if one.failure is not None:
            self.run.failed(one.failure.failure_code, f"{name}: {one.failure.message}")
            return
        reading.gaps.update({gap.code for gap in one.gaps})
        if missing := [gap.detail for gap in one.gaps if gap.code in _NOT_READ]:
            self.run.failed("policy.incomplete", f"{name}: {', '.join(missing)}")
        else:
            self.run.success()


def _read_policies(db: Database, reads: Mapping[str, _KindRead]) -> dict[str, list[ReadPolicy]]:
    """The policies for the store, by kind. One that cannot be told gets a `failure`, and is left out."""
    from tasks.graph import canonical

    bodies: dict[tuple[str, str], tuple[dict[str, Any], str]] = {}
    for name, reading in reads.items():
        for id_, one in reading.unkept.items():
            if one.failure is None:
                with _telling(one):
                    bodies[name, id_] = canonical.bare_and_hash(one.body)
    # Most policies are as they were: their canonical form is known, and making it takes longer than all the rest.
    known = versions.known_contents(db, {hash_ for _, hash_ in bodies.values()}) if bodies else {}
    read: dict[str, list[ReadPolicy]] = {}
    for (name, id_), (body, hash_) in bodies.items():
        one = reads[name].unkept[id_]
        with _telling(one):
            policy = ReadPolicy(
                external_id=id_,
                body=body,
                content_hash=hash_,
                canonical_hash=known.get(hash_) or canonical.canonical_hash(reads[name].kind, body),
                assignments=one.assignments,
                assignments_hash=_assignments_hash(one.assignments),
                gaps=[(gap.code, gap.detail) for gap in one.gaps],
            )
            read.setdefault(name, []).append(policy)
    return read


@contextmanager
def _telling(one: WholeObject) -> Iterator[None]:
    """What is done to a body within this block may fail for that body alone."""
    try:
        yield
    except RecursionError:  # nobody's policy, but one such body must not end the sync
        one.failure = OperationFailed("policy.incomplete", "it is nested too deep")


def _assignments_hash(assignments: list[dict[str, Any]] | None) -> str | None:
    from tasks.graph import canonical

    return None if assignments is None else canonical.assignments_hash({"assignments": assignments})
