"""Which assignments of a backed-up policy are sent to the target tenant.

The law: nothing is ever widened. What is sent reaches nobody, for any intent, whom the backup did not reach after its groups
were mapped. So a target is never sent without the filter that it had, and no include is sent without every exclusion.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from tasks.graph.resource import GraphResource
from tasks.operations.restore.targets import (
    FILTER_TYPE,
    Assignment,
    audience_of,
    filter_of,
    group_of,
    meaning_of,
    role_of,
    target_of,
    to_send,
)
from tasks.operations.restore.words import quoted

State = Literal["kept", "skipped", "failed"]

NOT_KEPT: Final = "restore.not_kept"
UNRESOLVED_GROUP: Final = "restore.unresolved_group"
SKIPPED_GROUP: Final = "restore.skipped_group"
FILTER_MISSING: Final = "restore.filter_missing"
FILTER_DIFFERS: Final = "restore.filter_differs"
FILTER_AMBIGUOUS: Final = "restore.filter_ambiguous"
POLICY_SET: Final = "restore.policy_set"
EXCLUSION_NOT_KEPT: Final = "restore.exclusion_not_kept"
UNKNOWN_TARGET: Final = "restore.unknown_target"


@dataclass(frozen=True, slots=True)
class GroupDecision:
    """What becomes of a group of the source tenant."""

    #: `skipped`: a person chose to leave it out.
    state: Literal["mapped", "skipped", "unresolved"]
    #: The group's id in the target tenant, if mapped.
    id: str = ""
    #: The group's name in the source tenant; empty if it is not known.
    name: str = ""
    #: Why it is unresolved, as "the target has two groups of that name"; may be empty.
    words: str = ""


@dataclass(frozen=True, slots=True)
class FilterDecision:
    """What becomes of a filter of the source tenant."""

    #: `skipped`: a person left it out of the restore, and the target has none.
    state: Literal["mapped", "skipped", "failed"]
    #: The filter's id in the target tenant, if mapped.
    id: str = ""
    #: The filter's name in the source tenant; empty if it is not known.
    name: str = ""
    #: Why it is not mapped.
    code: str = FILTER_MISSING
    words: str = ""


@dataclass(frozen=True, slots=True)
class Planned:
    """What becomes of one assignment."""

    #: As the backup has it.
    assignment: Assignment
    state: State
    #: Why it is not kept; empty if it is.
    code: str = ""
    words: str = ""
    #: As it is sent to the target tenant; None unless it is kept.
    sent: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class AssignmentPlan:
    """What becomes of the assignments of one policy."""

    #: One for each assignment of the backup, in its order.
    outcomes: tuple[Planned, ...]

    @property
    def send(self) -> list[Mapping[str, Any]]:
        """The list for one POST /assign: what is kept, each once."""
        made: dict[str, Mapping[str, Any]] = {}
        for one in self.outcomes:
            if one.sent is not None:
                made.setdefault(meaning_of(one.sent), one.sent)
        return list(made.values())

    @property
    def everybody(self) -> bool:
        """Whether some that are kept are for all users or all devices of the target tenant, with a filter or without."""
        return any(one.state == "kept" and role_of(one.assignment) == "everybody" for one in self.outcomes)

    @property
    def counts(self) -> dict[State, int]:
        """How many are kept, skipped and failed; together as many as the backup has."""
        counted = Counter(one.state for one in self.outcomes)
        return {"kept": counted["kept"], "skipped": counted["skipped"], "failed": counted["failed"]}


def plan_assignments(
    kind: GraphResource,
    assignments: Sequence[Assignment],
    groups: Mapping[str, GroupDecision],
    filters: Mapping[str, FilterDecision],
    *,
    same_tenant: bool,
) -> AssignmentPlan:
    """Decides what becomes of each assignment of one policy.

    Decisions are found by the id in the source tenant in lower case, or by the name where an export has no id. A group
    without a decision is unresolved, a filter without one is missing.
    """
    rules = _Rules(kind, groups, filters, same_tenant)
    single = [rules.plan(one) for one in assignments]
    return AssignmentPlan(tuple(rules.without_lost_exclusions(_without_collisions(single))))


def read_without_filters(assignments: Iterable[Assignment]) -> bool:
    """Whether some include does not say if it has a filter: it was read through v1.0, which knows none. Such a policy must
    not be assigned anew, because that could widen it.
    """
    return any(
        role_of(one) in ("group", "everybody", "collection") and FILTER_TYPE not in target_of(one)
        for one in assignments
    )


# ---- one assignment


@dataclass(frozen=True, slots=True)
class _Rules:
    kind: GraphResource
    groups: Mapping[str, GroupDecision]
    filters: Mapping[str, FilterDecision]
    same_tenant: bool

    def plan(self, one: Assignment) -> Planned:
        """What becomes of an assignment, the others aside."""
        return self._by_source(one) or self._by_target(one) or self._by_group(one) or self._by_filter(one)

    def _by_source(self, one: Assignment) -> Planned | None:
        if self.kind.assign is None:
            return _failed(one, NOT_KEPT, f"{self.kind.label} take no assignments")
        if one.get("source") == "policySets":
            return Planned(one, "skipped", POLICY_SET, f"comes from policy set {_text(one.get('sourceId'))}")
        return None

    def _by_target(self, one: Assignment) -> Planned | None:
        role, type_ = role_of(one), _text(target_of(one).get("@odata.type"))
        if role == "unknown":
            return _failed(one, UNKNOWN_TARGET, f"the type of its target is not known: {type_}")
        if self.kind.name == "managed_app_policies" and role not in ("group", "exclusion"):
            return _failed(one, NOT_KEPT, f"{self.kind.label} take only groups")
        if role == "collection" and not self.same_tenant:
            return _failed(one, NOT_KEPT, "a collection of Configuration Manager means nothing in another tenant")
        if role == "exclusion" and filter_of(one).state != "none":
            return _failed(one, NOT_KEPT, "Microsoft Graph takes no filter on an exclusion")
        return None

    def _by_group(self, one: Assignment) -> Planned | None:
        if role_of(one) not in ("group", "exclusion"):
            return None
        decision, group = self.group(one), self.name_of_group(one)
        if decision.state == "skipped":
            return Planned(one, "skipped", SKIPPED_GROUP, f"{group} was left out by choice")
        if not decision.id or decision.state != "mapped":
            return _failed(one, UNRESOLVED_GROUP, _why(f"{group} is not resolved in the target", decision.words))
        return None

    def _by_filter(self, one: Assignment) -> Planned:
        used = filter_of(one)
        group = self.group(one).id if role_of(one) in ("group", "exclusion") else ""
        if used.state == "none":
            return Planned(one, "kept", sent=to_send(one, group, ""))
        if used.state == "unclear":
            return _failed(one, FILTER_MISSING, "it has a filter, but does not say which or how")
        decision = self.filters.get(used.id.lower(), FilterDecision("failed"))
        if decision.state == "mapped" and decision.id:
            return Planned(one, "kept", sent=to_send(one, group, decision.id))
        words = _why(f"the target has no filter for {quoted(decision.name or used.id)}", decision.words)
        return Planned(one, "skipped" if decision.state == "skipped" else "failed", decision.code, words)

    def group(self, one: Assignment) -> GroupDecision:
        """The decision for the assignment's group."""
        return self.groups.get(group_of(one).lower(), GroupDecision("unresolved"))

    def name_of_group(self, one: Assignment) -> str:
        name = self.group(one).name or group_of(one)
        return f"the group {quoted(name)}" if name else "the group, which has no id,"

    # ---- exclusions

    def without_lost_exclusions(self, planned: Sequence[Planned]) -> list[Planned]:
        """No include is kept if an exclusion, or what may be one, is not."""
        excluded = {_exclusion(one.sent) for one in planned if one.sent and role_of(one.sent) == "exclusion"}
        lost = [one for one in planned if not one.sent and self._excludes_more(one.assignment, excluded)]
        if not lost:
            return list(planned)
        # A person's choice explains it only if nothing else would.
        reason = next((one for one in lost if one.code != SKIPPED_GROUP), lost[0])
        state: State = "skipped" if reason.code == SKIPPED_GROUP else "failed"
        words = f"an exclusion of the policy is not kept: {reason.words}"
        return [
            replace(one, state=state, code=EXCLUSION_NOT_KEPT, words=words, sent=None)
            if one.sent and role_of(one.sent) != "exclusion"
            else one
            for one in planned
        ]

    def _excludes_more(self, one: Assignment, excluded: set[tuple[str, Any]]) -> bool:
        """Whether an assignment that is not kept may exclude somebody beside those that kept ones exclude."""
        if role_of(one) == "unknown":
            return True
        decision = self.group(one)
        mapped = (decision.id.lower(), _text(one.get("intent"))) if decision.state == "mapped" else None
        return role_of(one) == "exclusion" and mapped not in excluded


def _exclusion(sent: Assignment) -> tuple[str, str]:
    """Who is excluded from what: the group and the intent."""
    return group_of(sent).lower(), _text(sent.get("intent"))


# ---- all of a policy


def _without_collisions(planned: Sequence[Planned]) -> list[Planned]:
    """Graph takes a group once: an exclusion goes before an include, and the first include before another one.

    Includes that come to the same are all kept.
    """
    excluded = {audience_of(one.sent) for one in planned if one.sent and role_of(one.sent) == "exclusion"}
    first: dict[tuple[str, str], str] = {}
    made = []
    for one in planned:
        outcome = one
        if one.sent and role_of(one.sent) != "exclusion":
            audience, meaning = audience_of(one.sent), meaning_of(one.sent)
            if audience in excluded:
                outcome = _failed(one.assignment, NOT_KEPT, "its group in the target is excluded by another assignment")
            elif first.setdefault(audience, meaning) != meaning:
                words = "another assignment is already for its target, with another filter, intent or setting"
                outcome = _failed(one.assignment, NOT_KEPT, words)
        made.append(outcome)
    return made


def _failed(one: Assignment, code: str, words: str) -> Planned:
    return Planned(one, "failed", code, words)


def _why(words: str, reason: str) -> str:
    return f"{words}: {reason}" if reason else words


def _text(value: Any) -> str:
    """A value of the backup as words: without quotes only where it is plain."""
    text = "" if value is None else str(value)
    return text if text.isascii() and text.isprintable() else quoted(text)
