"""What differs between two states of an object of Intune: the comparison behind drift.

Everything is compared in canonical form (canonical.py): noise is no difference, and a secret is never in one. Two states
with equal hashes have no difference, all others at least one.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Literal

from tasks.graph.assigned import identity, likeness, path_of, words
from tasks.graph.canonical import canonical, canonical_assignments, sets_of
from tasks.graph.pairing import Name, Pairing, pair
from tasks.graph.paths import Steps, under
from tasks.graph.resource import GraphResource


@dataclass(frozen=True, slots=True)
class Difference:
    """One change, in canonical form. No two differences of one comparison have the same path.

    A path is made of keys and of elements of lists: `omaSettings[./Vendor/X/Key].value`. An element is told by its name;
    where it has none, by its index after the change, and if it is gone by that before: `[2]`, `[was 2]`. A long name lacks
    its middle. Keys and names that could be mistaken stand in quotes, as JSON. An element that only wraps a
    `settingInstance` stands for it: `settings[firewall_x].simpleSettingValue.value`.
    """

    #: `order`: the elements that a list had before and still has stand in another order.
    change: Literal["modified", "order", "assignment"]
    path: str
    #: JSON; None where it was absent. Of an order: what tells the elements apart, in their order: their names, the plain
    #: values themselves, or their indexes before the change.
    old: Any
    new: Any
    #: An assignment's change for people, as in "Sales: include → exclude"; empty for all else.
    words: str = ""


def differences(kind: GraphResource, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """What differs between two bodies of a kind, bare or as they were read, assignments aside.

    Each change is found once, as deep as it is: a value that was added or removed is one difference with all that is in
    it. A set of plain values is one difference with all its values.
    """
    walk = _Walk(frozenset(sets_of(kind.sets)))
    walk.objects("", "", canonical(kind, before), canonical(kind, after))
    return walk.found


class _Walk:
    """Goes down two values at once. A path is for people; the place beside it is as in the table of kinds."""

    def __init__(self, sets: frozenset[str]) -> None:
        self.found: list[Difference] = []
        self._sets = sets

    def objects(self, path: str, place: str, old: dict[str, Any], new: dict[str, Any]) -> None:
        for key in sorted({**old, **new}):
            inner = f"{place}.{key}" if place else key
            self._values(under(path, key), inner, old.get(key), new.get(key))

    def _values(self, path: str, place: str, old: Any, new: Any) -> None:
        if isinstance(old, dict) and isinstance(new, dict):
            self.objects(path, place, old, new)
        elif isinstance(old, list) and isinstance(new, list):
            self._lists(path, place, old, new)
        # True is 1 in Python, and not in JSON.
        elif type(old) is not type(new) or old != new:
            self._add(path, old, new)

    def _lists(self, path: str, place: str, old: list[Any], new: list[Any]) -> None:
        is_set = place in self._sets
        if is_set and not _has_parts(old) and not _has_parts(new):
            if _text(old) != _text(new):
                self._add(path, old, new)
            return
        pairing = pair(old, new, ordered=not is_set)
        if pairing.is_reordered and not is_set:
            self._add_order(path, old, pairing)
        steps = Steps(pairing)
        for one, other in pairing.pairs:
            self._elements(path + steps.after(other), f"{place}[]", old[one], new[other])
        for index in pairing.removed:
            self._add(path + steps.before(index), old[index], None)
        for index in pairing.added:
            self._add(path + steps.after(index), None, new[index])

    def _elements(self, path: str, place: str, old: Any, new: Any) -> None:
        if _is_wrapper(old) and _is_wrapper(new):
            self.objects(path, f"{place}.settingInstance", old["settingInstance"], new["settingInstance"])
        else:
            self._values(path, place, old, new)

    def _add(self, path: str, old: Any, new: Any) -> None:
        self.found.append(Difference("modified", path, old, new))

    def _add_order(self, path: str, elements: list[Any], pairing: Pairing) -> None:
        before = [one for one, _ in pairing.pairs]
        after = [one for one, _ in sorted(pairing.pairs, key=lambda both: both[1])]
        told = [_told_by(pairing.old_names[index], index, one) for index, one in enumerate(elements)]
        self.found.append(Difference("order", path, [told[one] for one in before], [told[one] for one in after]))


def _has_parts(elements: list[Any]) -> bool:
    return any(isinstance(one, (dict, list)) for one in elements)


def _is_wrapper(element: Any) -> bool:
    """Whether an element is nothing but a `settingInstance`, as the settings of a policy are."""
    return isinstance(element, dict) and len(element) == 1 and isinstance(element.get("settingInstance"), dict)


def _told_by(name: Name | None, index: int, element: Any) -> Any:
    if name:
        return name[1]
    return index if isinstance(element, (dict, list)) else element


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


# ---- assignments


def assignment_differences(
    before: Sequence[Any] | None, after: Sequence[Any] | None, names: Mapping[str, str]
) -> list[Difference]:
    """What differs between two lists of assignments, as Graph gave them; None where they were not read.

    `names` has the names of groups, filters, collections and policy sets by their ids in lower case; where it has none,
    the id is told. Each assignment that was added, removed or changed is one difference. The assignments of one target
    from one source are changed into each other, those first that have most in common.
    """
    if before is None or after is None:
        return _not_read(before, after)
    olds, news = _by_target(before), _by_target(after)
    found: list[Difference] = []
    for target in sorted({**olds, **news}):
        several = max(len(olds[target]), len(news[target])) > 1
        for old, new in _changed(*_without_common(olds[target], news[target])):
            path = path_of(old if new is None else new, with_intent=several)
            found.append(Difference("assignment", path, old, new, words(old, new, names)))
    return _numbered(found)


def _not_read(before: Sequence[Any] | None, after: Sequence[Any] | None) -> list[Difference]:
    if before is after:
        return []
    said = "assignments were not read before" if before is None else "assignments were not read"
    old, new = (None if one is None else _canonical(one) for one in (before, after))
    return [Difference("assignment", "assignments", old, new, said)]


def _canonical(assignments: Sequence[Any]) -> list[dict[str, Any]]:
    return canonical_assignments({"assignments": list(assignments)})


def _by_target(assignments: Sequence[Any]) -> defaultdict[str, list[dict[str, Any]]]:
    """The canonical assignments by whom they are for and where they come from."""
    made: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in _canonical(assignments):
        made[identity(one)].append(one)
    return made


def _without_common(old: list[Any], new: list[Any]) -> tuple[list[Any], list[Any]]:
    """Both lists without what both have; what one has more often stays that often."""
    common = Counter(map(_text, old)) & Counter(map(_text, new))
    return _without(old, common.copy()), _without(new, common.copy())


def _without(assignments: list[Any], which: Counter[str]) -> list[Any]:
    kept = []
    for one in assignments:
        text = _text(one)
        if which[text]:
            which[text] -= 1
        else:
            kept.append(one)
    return kept


def _changed(old: list[Any], new: list[Any]) -> list[tuple[Any, Any]]:
    """Assignments of one target before and after; None beside one that was added or removed."""
    alike = {(one, other): likeness(old[one], new[other]) for one, other in product(range(len(old)), range(len(new)))}
    pairs: dict[int, int] = {}
    for one, other in sorted(alike, key=lambda both: -alike[both]):
        if one not in pairs and other not in pairs.values():
            pairs[one] = other
    changed = [(one, new[pairs[index]] if index in pairs else None) for index, one in enumerate(old)]
    return changed + [(None, one) for index, one in enumerate(new) if index not in pairs.values()]


def _numbered(found: list[Difference]) -> list[Difference]:
    """The differences with paths of their own: the second of one path gets a number."""
    seen: Counter[str] = Counter()
    made = []
    for one in found:
        seen[one.path] += 1
        number = seen[one.path]
        made.append(one if number == 1 else replace(one, path=f"{one.path}[#{number}]"))
    return made
