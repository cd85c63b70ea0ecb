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
from tasks.operations.tenant_graph import fail_kind, kinds_named, seen_policy, tenant_graph
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
        for kind in kinds_named(kinds):
            _Sync(run, graph, kind).carry_out()


@dataclass
class _Sync:
    """The sync of one kind."""

    run: RunContext
    graph: GraphClient
    kind: GraphResource
    seen: set[str] = field(default_factory=set)
    recorded: Recorded = field(default_factory=Recorded)
    gaps: Counter[str] = field(default_factory=Counter)

    def carry_out(self) -> None:
        """Read the kind. If its list cannot be read, only this kind fails; refused credentials end the run."""
        from tasks.graph.whole import read_whole

        last: list[WholeObject] = []
        try:
            for chunk in read_whole(self.graph, self.kind, lambda text: self.run.log(text, "warning")):
                self.run.check()
                if last:
                    self._keep(last)
                last = chunk
        except OperationFailed as error:
            self._keep(last)
            fail_kind(self.run, self.graph, self.kind, error, len(self.seen))
            return
        # Only a complete read shows which objects are gone.
        self._keep(last, complete=True)
        self.run.log(self._told())

    def _keep(self, chunk: list[WholeObject], *, complete: bool = False) -> None:
        db, tenant = self.run.tools.db, self.run.tenant.id
        # A page may repeat an object: the last of a chunk counts, and none of a later chunk.
        fresh = [one for one in chunk if not one.gone and str(one.listed["id"]) not in self.seen]
        latest = {str(one.listed["id"]): one for one in fresh}
        self.seen |= set(latest)
        readable = {id_: one for id_, one in latest.items() if one.failure is None}
        seen = [seen_policy(self.kind, one.listed) for one in latest.values()]
        read = _read_policies(db, self.kind, readable)
        self.recorded += versions.record(db, tenant, self.run.id, self.kind.name, seen, read, complete=complete)
        for one in latest.values():
            self._count(one)

    def _count(self, one: WholeObject) -> None:
        name = f"{self.kind.label}: {name_of(one.listed)}"
        if one.failure is not None:
            self.run.failed(one.failure.failure_code, f"{name}: {one.failure.message}")
            return
        self.gaps.update({gap.code for gap in one.gaps})
        if missing := [gap.detail for gap in one.gaps if gap.code in _NOT_READ]:
            self.run.failed("policy.incomplete", f"{name}: {', '.join(missing)}")
        else:
            self.run.success()

    def _told(self) -> str:
        gone = self.recorded.gone
        parts = [f"{len(self.seen)} {self.kind.label}"]
        numbers = {"new": self.recorded.new, "changed": self.recorded.changed}
        parts += [f"{number} {word}" for word, number in numbers.items() if number]
        parts += [f"{self.gaps[code]} {words}" for code, words in _WORDS.items() if self.gaps[code]]
        return ", ".join(parts + ([f"{gone} missing since the last sync"] if gone else []))


def _read_policies(db: Database, kind: GraphResource, whole: Mapping[str, WholeObject]) -> list[ReadPolicy]:
    """The policies for the store. One that cannot be told gets a `failure`, and is left out."""
    from tasks.graph import canonical

    bodies: dict[str, tuple[dict[str, Any], str]] = {}
    for id_, one in whole.items():
        with _telling(one):
            bodies[id_] = canonical.bare_and_hash(one.body)
    # Most policies are as they were: their canonical form is known, and making it takes longer than all the rest.
    known = versions.known_contents(db, {hash_ for _, hash_ in bodies.values()})
    read: list[ReadPolicy] = []
    for id_, (body, hash_) in bodies.items():
        one = whole[id_]
        with _telling(one):
            policy = ReadPolicy(
                external_id=id_,
                body=body,
                content_hash=hash_,
                canonical_hash=known.get(hash_) or canonical.canonical_hash(kind, body),
                assignments=one.assignments,
                assignments_hash=_assignments_hash(one.assignments),
                gaps=[(gap.code, gap.detail) for gap in one.gaps],
            )
            read.append(policy)
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
