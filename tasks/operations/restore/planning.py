"""What a restore does with an item: the rule by which both the preview and the execution go.

The preview stores a plan. The execution makes it once more from what the target is by then, and goes on only if it comes to the
same (`Plan.disagreement`): so nothing is written that was not in the preview.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from store.intune.restore_records import RestoreItem, WorkItem
from tasks.graph.answers import TEMPLATE_UNKNOWN
from tasks.graph.assigned import description
from tasks.graph.canonical import assignments_hash, canonical_hash
from tasks.graph.differences import Difference, assignment_differences, differences
from tasks.graph.resource import GraphResource
from tasks.graph.resources import BY_NAME
from tasks.operations.restore.assigning import (
    FILTER_AMBIGUOUS,
    FILTER_DIFFERS,
    UNRESOLVED_GROUP,
    AssignmentPlan,
    plan_assignments,
)
from tasks.operations.restore.checks import INCOMPLETE, NO_FILTERS, check, reaches_everybody
from tasks.operations.restore.definitions import ingested, rebind_definitions, wanted_presentations
from tasks.operations.restore.matching import Match
from tasks.operations.restore.rebinding import rebind
from tasks.operations.restore.resolving import Key, Resolver, key_of
from tasks.operations.restore.target import Target
from tasks.operations.restore.targets import filter_of
from tasks.operations.restore.words import quoted

if TYPE_CHECKING:
    from tasks.graph.whole import WholeObject

CHANGED: Final = "restore.changed"
DEPENDENCY: Final = "restore.dependency"
NOT_MAKEABLE: Final = "restore.not_makeable"
AMBIGUOUS: Final = "restore.ambiguous"
DIFFERS: Final = "restore.differs"
#: An assignment that fails so blocks its item: somebody can mend it.
_BLOCKS: Final = (FILTER_DIFFERS, FILTER_AMBIGUOUS, UNRESOLVED_GROUP)
#: Differences of an item that are kept, and characters of a value that is longer.
MAX_DIFFERENCES: Final = 200
MAX_VALUE: Final = 400
_DEFINITIONS: Final = "/deviceManagement/groupPolicyDefinitions"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a restore does with an item."""

    action: str
    #: The object in the target; None if there is none.
    target_id: str | None = None
    #: Why it is blocked or ambiguous, as (code, words).
    reasons: tuple[tuple[str, str], ...] = ()
    #: The ticks that it wants.
    needs: tuple[str, ...] = ()
    #: What it could be, as (id, name).
    candidates: tuple[tuple[str, str], ...] = ()
    differences: tuple[Difference, ...] = ()
    assignments: AssignmentPlan = field(default_factory=lambda: AssignmentPlan(()))
    #: The body for the target, with its ids; not to be sent while something blocks.
    body: Mapping[str, Any] = field(default_factory=dict)
    #: Only its assignments can be restored.
    assignments_only: bool = False
    #: The object as it is, and a hash of it; None if there is none.
    whole: WholeObject | None = None
    state: str = ""
    #: The ids of objects of its kind and name that are there.
    before: tuple[str, ...] = ()

    def as_json(self, names: Mapping[str, str]) -> dict[str, Any]:
        """The column `plan`. `names` has names of groups and filters by their ids in lower case."""
        return {
            "reasons": [{"code": code, "words": words} for code, words in self.reasons],
            "needs": list(self.needs),
            "everybody": self.assignments.everybody,
            "candidates": [{"id": id_, "name": name} for id_, name in self.candidates],
            "differences": [_difference(one) for one in self.differences[:MAX_DIFFERENCES]],
            "more_differences": max(0, len(self.differences) - MAX_DIFFERENCES),
            "assignments": [
                {"words": description(one.assignment, names), "state": one.state, "code": one.code, "reason": one.words}
                for one in self.assignments.outcomes
            ],
            "assignments_only": self.assignments_only,
            "state": self.state,
            "before": list(self.before),
        }

    def disagreement(self, item: RestoreItem) -> str:
        """Why this is not what was previewed of the item; empty if it is."""
        kept, now = item.plan.get("assignments"), [one.state for one in self.assignments.outcomes]
        then = [one.get("state") for one in kept if isinstance(one, dict)] if isinstance(kept, list) else []
        if self.reasons:
            return self.reasons[0][1]
        if self.action != item.action or self.target_id != item.target_id:
            return f"the preview said {item.action}, and now it would be {self.action}"
        known = item.plan.get("before")
        if self.action == "create" and set(self.before) - set(known if isinstance(known, list) else []):
            return "somebody has made an object of that name since the preview"
        if self.state != item.plan.get("state"):
            return "somebody has changed it since the preview"
        return "" if now == then else self._other_assignments(then)

    def _other_assignments(self, then: Sequence[Any]) -> str:
        others = [one.words for one, state in zip(self.assignments.outcomes, then, strict=False) if one.state != state]
        why = next((words for words in others if words), "")
        return "its assignments would not be those of the preview" + (f": {why}" if why else "")


def _difference(one: Difference) -> dict[str, Any]:
    return {"change": one.change, "path": one.path, "old": _short(one.old), "new": _short(one.new), "words": one.words}


def _short(value: Any) -> Any:
    text = json.dumps(value, ensure_ascii=False)
    return value if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}…"


class Planner:
    """Makes plans for the items of a restore."""

    def __init__(self, resolver: Resolver, target: Target, mode: str, ticks: Collection[str]) -> None:
        self._resolver = resolver
        self._target = target
        self._mode = mode
        self._ticks = ticks
        self._definitions: list[dict[str, Any]] | None = None

    def plan(self, one: WorkItem) -> Plan:
        """What is done with an item; what it refers to comes before it. Raises OperationFailed if the target cannot be asked."""
        key = key_of(one.backup.kind, one.backup.external_id)
        self._resolver.blocked.add(key)  # until it is known that nothing does
        made = self._plan(one, self._resolver.matches[key])
        if not made.reasons:
            self._resolver.blocked.discard(key)
        return made

    def _plan(self, one: WorkItem, found: Match) -> Plan:
        if found.state in ("not_makeable", "differs"):
            code = DIFFERS if found.state == "differs" else found.code or NOT_MAKEABLE
            return Plan("blocked", found.id or None, ((code, found.words),))
        if found.state == "ambiguous":
            candidates = tuple((it.id, it.name) for it in found.candidates)
            return Plan("ambiguous", None, ((AMBIGUOUS, found.words),), candidates=candidates)
        if found.state == "found" and self._mode == "create" and not is_begun(one, found.id):
            return Plan("exists", found.id)
        return self._write(one, BY_NAME[one.backup.kind], found.id or None, found.assignments_only)

    def _write(self, one: WorkItem, kind: GraphResource, target_id: str | None, assignments_only: bool) -> Plan:
        same = self._resolver.same_tenant
        checked = check(
            kind,
            one.backup,
            same_tenant=same,
            # A preview says what the actions make of the policy, whether they were agreed to yet or not: without the tick,
            # which it wants, nothing is executed.
            ticks={*self._ticks, "no_actions"},
            template_unknown=was_refused_for_template(one),
        )
        body, reasons = self._rebound(kind, checked.body)
        reasons = _of_assignments(one, checked.reasons) if assignments_only else [*checked.reasons, *reasons]
        assigned = self._assignments(kind, one)
        reasons += [(it.code, it.words) for it in assigned.outcomes if it.state == "failed" and it.code in _BLOCKS]
        everybody = assigned.everybody or reaches_everybody(kind, body)
        needs = [*checked.needs, *(["everybody"] if everybody and not same else [])]
        made = Plan(
            "blocked" if reasons else "create",
            target_id,
            tuple(dict.fromkeys(reasons)),
            tuple(need for need in needs if not (assignments_only and need != "everybody")),
            assignments=assigned,
            body=body,
            assignments_only=assignments_only,
            before=tuple(sorted(self._of_that_name(kind, one))),
        )
        return made if target_id is None else self._compared(kind, made, target_id, one)

    def _rebound(self, kind: GraphResource, body: Mapping[str, Any]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        made, missing = rebind(kind, body, self._resolver.new_id)
        reasons = [
            (DEPENDENCY, f"{_word(to)} {quoted(self._resolver.name_of(to, id_))} is not in the target")
            for to, id_ in missing
        ]
        if kind.name == "administrative_templates" and ingested(made):
            definitions = self._ingested_definitions()
            presentations = {id_: self._presentations(id_) for id_ in wanted_presentations(made, definitions)}
            made, lost = rebind_definitions(made, definitions, presentations)
            reasons += [(DEPENDENCY, f"the target has no ADMX file with {what}") for what in lost]
        return made, reasons

    def _ingested_definitions(self) -> list[dict[str, Any]]:
        if self._definitions is None:
            pages = self._target.graph.pages(_DEFINITIONS, {"$filter": "policyType eq 'admxIngested'"})
            self._definitions = [one for page in pages for one in page]
        return self._definitions

    @functools.cache  # noqa: B019 (a planner lives for one run)
    def _presentations(self, id_: str) -> list[dict[str, Any]]:
        return [one for page in self._target.graph.pages(f"{_DEFINITIONS}/{id_}/presentations") for one in page]

    def _assignments(self, kind: GraphResource, one: WorkItem) -> AssignmentPlan:
        assignments = one.backup.assignments or ()
        filters = self._resolver.filters({used.id for it in assignments if (used := filter_of(it)).id})
        return plan_assignments(
            kind, assignments, self._resolver.groups, filters, same_tenant=self._resolver.same_tenant
        )

    def _of_that_name(self, kind: GraphResource, one: WorkItem) -> list[str]:
        named = self._target.named(kind, one.backup.name, fresh=True)
        if not named:
            return []
        # Two objects of the backup may have one name: what the restore has made for the other is not this one.
        ours = {id_.lower() for id_ in self._resolver.ids.values()}
        return [str(it["id"]) for it in named if str(it["id"]).lower() not in ours]

    def _compared(self, kind: GraphResource, made: Plan, target_id: str, one: WorkItem) -> Plan:
        """A plan for an object that is there: what differs, if anything."""
        whole = self._target.whole(kind, self._target.with_id(kind, target_id) or {"id": target_id})
        if whole.gone:
            return _with(made, action="blocked", reasons=((CHANGED, "the object is not there any more"),))
        state = f"{canonical_hash(kind, whole.body)} {assignments_hash({'assignments': whole.assignments or []})}"
        if made.reasons:
            return _with(made, whole=whole, state=state)
        found = [] if made.assignments_only else differences(kind, whole.body, made.body)
        if kind.assign is not None:
            found += assignment_differences(_plain(whole.assignments), _plain(made.assignments.send), {})
        action = "update" if found or is_begun(one, target_id) else "same"
        return _with(made, action=action, differences=tuple(found), whole=whole, state=state)


def _with(plan: Plan, **values: Any) -> Plan:
    return replace(plan, **values)


def _plain(assignments: Sequence[Mapping[str, Any]] | None) -> list[dict[str, Any]] | None:
    """The policy's own assignments: those of policy sets are not the restore's business."""
    return None if assignments is None else [dict(one) for one in assignments if one.get("source") != "policySets"]


def _of_assignments(one: WorkItem, reasons: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """What blocks an item of which only the assignments are restored."""
    if one.backup.assignments is None:
        return [(INCOMPLETE, "its assignments were not read")]
    return [reason for reason in reasons if reason[0] == NO_FILTERS]


def _word(to: str) -> str:
    return "the group" if to == "groups" else f"of the {BY_NAME[to].label}" if to in BY_NAME else to


#: What an intent says of an item that was refused for its template: the result of a later attempt may be another one.
REFUSED_FOR_TEMPLATE: Final = "template_unknown"


def was_refused_for_template(one: WorkItem) -> bool:
    """Whether Graph refused an item because the target has its template in another version, in any attempt."""
    return one.item.result_code == TEMPLATE_UNKNOWN or one.item.intent.get(REFUSED_FOR_TEMPLATE) is True


def is_begun(one: WorkItem, target_id: str) -> bool:
    """Whether an earlier attempt made this very object, or may have, or began to change it. What it made may have been deleted
    since, and another one may stand in its place.
    """
    made, before = one.item.intent.get("made"), one.item.intent.get("before")
    if isinstance(made, str):
        return made.lower() == target_id.lower()
    return isinstance(before, list) and target_id not in before


def refs_of(one: WorkItem) -> set[Key]:
    """What an item refers to."""
    return {key_of(it.kind, it.id) for it in one.backup.references}
