"""`drift.generate`: compares the two newest complete reads of each kind, or the newest with a backup set.

It asks nobody but the database: what is compared was read whole, by `policy.sync` or for the set.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from store.errors import InputInvalid, NotFound
from store.intune import drift, drift_sides
from store.intune.drift_records import Finding, KindCompared
from store.intune.drift_sides import Contents, Sides
from store.intune.policy_states import PolicyState
from tasks.graph.resource import GraphResource, KindName
from tasks.graph.resources import BY_NAME
from tasks.operations.tenant_graph import kinds_named
from tasks.sdk.context import RunContext
from tasks.sdk.operation import operation

if TYPE_CHECKING:
    from tasks.graph.differences import Difference

#: Policies whose bodies are compared, and whose findings are stored, together.
CHUNK: Final = 100
_NO_CONTENT: Final = "content_missing"


@operation("drift.generate", label="Compare policies", identity=["kinds", "backup_set"], timeout=3600)
def generate(run: RunContext, kinds: tuple[KindName, ...] | None = None, backup_set: int | None = None) -> None:
    """Find what changed between the two last complete syncs of policies, or since a backup.

    Args:
        kinds: the kinds of policy to compare; all when left empty
        backup_set: the number of the set to compare with; the sync before the last one when left empty
    """
    db, names = run.tools.db, [kind.name for kind in kinds_named(kinds)]
    if backup_set is None:
        plan = drift_sides.between_reads(db, run.tenant.id, names)
    else:
        plan = drift_sides.since_backup(db, run.tenant.id, backup_set, names)
    comparable = [sides for sides in plan if not sides.reason]
    if not comparable:
        reasons = sorted({sides.reason for sides in plan})
        raise InputInvalid(f"there is nothing to compare: {'; '.join(reasons)}", "run policy.sync")
    try:
        drift.begin(db, run.tenant.id, run.id, backup_set)
    except NotFound as error:
        raise InputInvalid(error.message, error.hint) from None
    compared = [KindCompared(sides.kind, sides.reason) for sides in plan if sides.reason]
    for sides in comparable:
        compared.append(_Comparison(run, BY_NAME[sides.kind], sides).compare())
        drift.note_kinds(db, run.id, compared)
    if left_out := [f"{BY_NAME[sides.kind].label} ({sides.reason})" for sides in plan if sides.reason]:
        run.log(f"not compared: {', '.join(left_out)}", "warning")


@dataclass
class _Comparison:
    """The comparison of one kind."""

    run: RunContext
    kind: GraphResource
    sides: Sides
    findings: int = 0

    def compare(self) -> KindCompared:
        """Compare and store."""
        before, after = self.sides.before, self.sides.after
        both = [(before[id_], after[id_]) for id_ in sorted(before.keys() & after.keys())]
        changed = [sides for sides in both if _differ(*sides)]
        self._store(list(self._come_and_gone()))
        for start in range(0, len(changed), CHUNK):
            self.run.check()
            self._store(self._changes(changed[start : start + CHUNK]))
        policies = len(before.keys() | (before if self.sides.narrowed else after).keys())
        self.run.success(len(both) - len(changed))
        self.run.log(f"{policies} {self.kind.label}, {self.findings or 'no'} finding{'s' * (self.findings != 1)}")
        return KindCompared(self.kind.name, "", policies, self.findings, self.sides.before_at, self.sides.after_at)

    def _store(self, findings: Sequence[Finding]) -> None:
        drift.add(self.run.tools.db, self.run.id, findings)
        self.findings += len(findings)

    def _come_and_gone(self) -> Iterator[Finding]:
        before, after = self.sides.before, self.sides.after
        for id_ in sorted(before.keys() - after.keys()):
            self.run.success()
            yield Finding(self.kind.name, id_, before[id_].name, "removed")
        for id_ in [] if self.sides.narrowed else sorted(after.keys() - before.keys()):
            self.run.success()
            yield Finding(self.kind.name, id_, after[id_].name, "added")

    def _changes(self, changed: Sequence[tuple[PolicyState, PolicyState]]) -> list[Finding]:
        held = drift_sides.contents(self.run.tools.db, self.run.tenant.id, self.sides, changed)
        return [
            Finding(self.kind.name, new.external_id, new.name, one.change, one.path, one.old, one.new, one.words)
            for old, new in changed
            for one in self._differences(old, new, held)
        ]

    def _differences(self, old: PolicyState, new: PolicyState, held: Contents) -> list[Difference]:
        from tasks.graph.differences import assignment_differences, differences

        found: list[Difference] = []
        if old.assignments_hash != new.assignments_hash:
            found += assignment_differences(held.before.get(old.id), held.after.get(new.id), held.names)
        if old.canonical_hash == new.canonical_hash:
            self.run.success()
            return found
        if missing := [when for when, one in (("before", old), ("now", new)) if one.completeness == _NO_CONTENT]:
            name = f"{self.kind.label}: {new.name}"
            self.run.failed("policy.incomplete", f"{name}: its content was not read {' and '.join(missing)}")
            return found
        self.run.success()
        bodies = held.bodies.get(old.content_hash, {}), held.bodies.get(new.content_hash, {})
        return differences(self.kind, *bodies) + found


def _differ(old: PolicyState, new: PolicyState) -> bool:
    return (old.canonical_hash, old.assignments_hash) != (new.canonical_hash, new.assignments_hash)
