"""What in the target tenant the items of a restore are, and what they refer to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from store.errors import OperationFailed
from store.intune.restore_records import RestoreItem, Work, WorkItem
from tasks.graph.resource import GraphResource
from tasks.graph.resources import BY_NAME
from tasks.operations.restore.assigning import (
    FILTER_AMBIGUOUS,
    FILTER_DIFFERS,
    FILTER_MISSING,
    FilterDecision,
    GroupDecision,
)
from tasks.operations.restore.matching import Match, match, match_with, resolve_tag
from tasks.operations.restore.rebinding import DROP
from tasks.operations.restore.target import Target

#: An object of the source tenant: its kind, and its id in lower case.
Key = tuple[str, str]

GROUPS: Final = "groups"
_FILTERS: Final = "assignment_filters"
_TAGS: Final = "scope_tags"
#: Kinds with objects that every tenant has, whatever they are called there.
_FOUND_OTHERWISE: Final = (_TAGS, "enrollment_configurations")
#: What of a filter cannot be changed.
_FIXED: Final = ("platform", "assignmentFilterManagementType")
#: The id of an object that this restore is about to make, where only a preview asks for it. Each has one of its own: what is
#: one id in the preview and two in the execution would come to something else.
PENDING: Final = "(made by this restore for {})"


def key_of(kind: str, external_id: str) -> Key:
    """The key of an object of the source tenant."""
    return kind, external_id.lower()


class Resolver:
    """Finds items, and what they refer to, in the target tenant.

    `previewing`: objects that the restore would make count as there; else only those that it has made.
    """

    def __init__(self, work: Work, target: Target, *, previewing: bool) -> None:
        self.same_tenant = work.restore.is_same_tenant
        self._target = target
        self._previewing = previewing
        self._items = {key_of(one.backup.kind, one.backup.external_id): one for one in work.items}
        self._filters = {key_of(_FILTERS, one.external_id): one for one in work.filters}
        self._names = _names(work.items)
        #: Ids in the target of what was found or made, those of earlier attempts included.
        self.ids: dict[Key, str] = {
            key_of(one.kind, one.external_id): one.target_id
            for one in work.others
            if one.target_id and _is_settled(one)
        }
        self.groups = {one.source_id: _group(one.decision, one.target_id, one.source_name) for one in work.groups}
        #: Filters that match something else in the target, until the restore has changed them back.
        self.changing: set[Key] = set()
        #: Items that something blocks: nobody can count on them.
        self.blocked: set[Key] = set()
        self._updates = work.restore.mode == "update"
        self.matches = self._match_all()
        for key, found in self.matches.items():
            if found.state == "found":
                self.ids[key] = found.id

    # ---- items

    def _match_all(self) -> dict[Key, Match]:
        by_kind: defaultdict[str, dict[Key, WorkItem]] = defaultdict(dict)
        for key, one in self._items.items():
            by_kind[one.backup.kind][key] = one
        return {key: found for kind, some in by_kind.items() for key, found in self._match_kind(kind, some).items()}

    def _match_kind(self, name: str, items: Mapping[Key, WorkItem]) -> dict[Key, Match]:
        kind = BY_NAME.get(name)
        if kind is None:
            return {key: Match("not_makeable", words=f"the kind {name} is not known") for key in items}
        taken = {id_.lower() for key, id_ in self.ids.items() if key[0] == name}
        try:
            self._target.listed(kind)
        except OperationFailed as error:
            why = f"{kind.label} of the target: {error.message}"
            return {key: Match("not_makeable", words=why, code=error.failure_code) for key in items}
        found = {key: self._match_one(kind, one, self._near(kind, one, taken)) for key, one in items.items()}
        return _told_apart(found, items, self.same_tenant)

    def _near(self, kind: GraphResource, one: WorkItem, taken: Collection[str]) -> list[Mapping[str, Any]]:
        """The objects of the target that an item can be: those of its name, and those whose ids are known. To compare each of
        20,000 items with each of 20,000 objects would take an hour.
        """
        if kind.name in _FOUND_OTHERWISE:
            found = self._target.listed(kind)
        else:
            ids = (one.backup.external_id, one.item.chosen_id, _made_before(one))
            known = [it for id_ in ids if id_ and (it := self._target.with_id(kind, id_)) is not None]
            found = [*self._target.named(kind, one.backup.name), *known]
        return [it for id_, it in {str(it["id"]).lower(): it for it in found}.items() if id_ not in taken]

    def _match_one(self, kind: GraphResource, one: WorkItem, listed: Sequence[Mapping[str, Any]]) -> Match:
        if chosen := one.item.chosen_id or _made_before(one):
            there = [it for it in listed if str(it["id"]).lower() == chosen.lower()]
            if there:
                its = match_with(kind, one.backup.external_id, one.backup.body, there[0])
                return self._or_changed_back(kind, one, its)
        if (before := one.item.intent.get("before")) is not None and not one.item.intent.get("made"):
            # It was about to be made when its run ended: what is new under its name may be it.
            known = {str(id_).lower() for id_ in before} if isinstance(before, list) else set()
            new = [it for it in listed if str(it["id"]).lower() not in known]
            adopted = self._match(kind, one, new, same_tenant=False)
            if adopted.state in ("found", "ambiguous"):
                return adopted
        return self._or_changed_back(kind, one, self._match(kind, one, listed, same_tenant=self.same_tenant))

    def _or_changed_back(self, kind: GraphResource, one: WorkItem, found: Match) -> Match:
        """What was found; a filter that the restore changes back counts as found, and is noted."""
        if self._can_change_back(one, found):
            self.changing.add(key_of(kind.name, one.backup.external_id))
            return Match("found", found.id)
        return found

    def _can_change_back(self, one: WorkItem, found: Match) -> bool:
        """Whether it is the very filter of the backup, with another rule since, and the restore changes what is there."""
        if not (self._updates and found.state == "differs" and found.id.lower() == one.backup.external_id.lower()):
            return False
        if one.item.is_skipped:
            return False  # it stays as it is
        there = found.candidates[0].body
        return all(one.backup.body.get(key) == there.get(key) for key in _FIXED)

    def made(self, kind: str, external_id: str, target_id: str) -> None:
        """Note that the restore has made an object, or changed it to what the backup has."""
        key = key_of(kind, external_id)
        self.ids[key] = target_id
        self.changing.discard(key)

    def _match(
        self, kind: GraphResource, one: WorkItem, listed: Sequence[Mapping[str, Any]], *, same_tenant: bool
    ) -> Match:
        backup = one.backup
        return match(kind, backup.name, backup.external_id, backup.body, listed, same_tenant=same_tenant)

    # ---- what they refer to

    def new_id(self, to: str, id_: str) -> str | None:
        """The id in the target of what an item refers to; DROP for a group that was left out; None if there is none."""
        if to == GROUPS:
            decision = self.groups.get(id_.lower(), GroupDecision("unresolved"))
            return DROP if decision.state == "skipped" else decision.id or None
        key = key_of(to, id_)
        if found := self._of_the_restore(key):
            return found
        return self._tag(id_) if to == _TAGS else self._elsewhere(to, id_)

    def _of_the_restore(self, key: Key) -> str | None:
        if (found := self.ids.get(key)) and (self._previewing or key not in self.changing):
            return found
        one = self._items.get(key)
        will_be = one is not None and not one.item.is_skipped and self.matches[key].state == "none"
        return PENDING.format(key[1]) if will_be and self._previewing and key not in self.blocked else None

    def _tag(self, id_: str) -> str | None:
        names = {id_: self._names.get(key_of(_TAGS, id_))}
        found = resolve_tag(id_, names, self._listed(_TAGS), same_tenant=self.same_tenant)
        if found.state == "found":
            return found.id
        by_name = [key for key, one in self._items.items() if key[0] == _TAGS and one.backup.name == id_]
        return self._of_the_restore(by_name[0]) if by_name else None

    def _elsewhere(self, to: str, id_: str) -> str | None:
        """An object that the restore leaves alone."""
        name = self._names.get(key_of(to, id_)) or ""
        found = match(BY_NAME[to], name, id_, {}, self._listed(to), same_tenant=self.same_tenant)
        return found.id if found.state == "found" else None

    def _listed(self, name: str) -> Sequence[Mapping[str, Any]]:
        try:
            return self._target.listed(BY_NAME[name])
        except OperationFailed:
            return ()

    def name_of(self, to: str, id_: str) -> str:
        """What the backup calls an object that is referred to; its id if it has no name."""
        return self._names.get(key_of(to, id_)) or id_

    # ---- filters

    def filters(self, ids: Iterable[str]) -> dict[str, FilterDecision]:
        """The decisions on these filters of the source tenant, by their ids in lower case."""
        return {id_.lower(): self._filter(id_) for id_ in ids}

    def _filter(self, id_: str) -> FilterDecision:
        key = key_of(_FILTERS, id_)
        name = self.name_of(_FILTERS, id_)
        if key in self.changing and not self._previewing:
            words = "it matches something else now, and could not be changed back"
            return FilterDecision("failed", "", name, FILTER_DIFFERS, words)
        if key in self._items and not self._items[key].item.is_skipped:
            return self._decided(self.matches[key], key, name, may_be_made=True)
        if key in self.ids:  # an earlier attempt has made or found it
            return FilterDecision("mapped", self.ids[key], name)
        listed = self._listed(_FILTERS)
        if key in self._filters:
            body = self._filters[key].body
            kind = BY_NAME[_FILTERS]
            found = match(kind, self._filters[key].name, id_, body, listed, same_tenant=self.same_tenant)
            return self._decided(found, key, name, may_be_made=False)
        there = self.same_tenant and any(str(one["id"]).lower() == id_.lower() for one in listed)
        words = "the backup does not have the filter, so nobody can tell what it matches"
        return (
            FilterDecision("mapped", id_, name) if there else FilterDecision("failed", "", name, FILTER_MISSING, words)
        )

    def _decided(self, found: Match, key: Key, name: str, *, may_be_made: bool) -> FilterDecision:
        match found.state:
            case "found":
                return FilterDecision("mapped", found.id, name)
            case "differs":
                return FilterDecision("failed", "", name, FILTER_DIFFERS, found.words)
            case "ambiguous":
                return FilterDecision("failed", "", name, FILTER_AMBIGUOUS, found.words)
            case "none" if may_be_made and (made := self._of_the_restore(key)):
                return FilterDecision("mapped", made, name)
            case "none" if not may_be_made:
                words = "it is not in the target, and was left out of the restore"
                return FilterDecision("skipped", "", name, FILTER_MISSING, words)
        return FilterDecision("failed", "", name, FILTER_MISSING, found.words or "it could not be made")


# ---- parts


def _group(decision: str, target_id: str | None, name: str | None) -> GroupDecision:
    if decision == "map" and target_id:
        return GroupDecision("mapped", target_id, name or "")
    return GroupDecision("skipped" if decision == "skip" else "unresolved", "", name or "")


def _names(items: Sequence[WorkItem]) -> dict[Key, str]:
    """The names that the backup has for what its items refer to."""
    return {key_of(one.kind, one.id): one.name for item in items for one in item.backup.references if one.name}


def _is_settled(one: RestoreItem) -> bool:
    """Whether an item of an earlier attempt is what the backup says: not what was left out, nor a filter that failed."""
    return not one.is_skipped and (one.kind != _FILTERS or one.result != "failed")


def _made_before(one: WorkItem) -> str | None:
    """The object that an earlier attempt made for the item, and did not finish."""
    made = one.item.intent.get("made")
    return made if isinstance(made, str) else None


def _told_apart(found: Mapping[Key, Match], items: Mapping[Key, WorkItem], same_tenant: bool) -> dict[Key, Match]:
    """Two items are never the same object: the one with its id, or for which it was chosen, has it."""
    owners: defaultdict[str, list[Key]] = defaultdict(list)
    for key, one in found.items():
        if one.state == "found":
            owners[one.id.lower()].append(key)
    made = dict(found)
    for id_, keys in owners.items():
        if len(keys) < 2:
            continue
        sure = [
            key
            for key in keys
            if (same_tenant and key[1] == id_) or items[key].item.chosen_id or _made_before(items[key])
        ]
        for key in keys:
            if len(sure) == 1 and key == sure[0]:
                continue
            words = f"{len(keys)} objects of the backup have the name of this one"
            made[key] = Match("none") if len(sure) == 1 else replace(found[key], state="ambiguous", words=words)
    return made
