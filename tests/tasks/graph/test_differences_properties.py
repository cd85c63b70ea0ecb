"""Properties of the differences, over the objects of synthetic tenants and over generated bodies."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tasks.graph.canonical import assignments_hash, canonical, canonical_hash
from tasks.graph.differences import assignment_differences, differences
from tasks.graph.resource import GraphResource
from tests.support.properties import examples
from tests.tasks.graph.bodies import FILTER_ID, FILTER_TYPE, typed
from tests.tasks.graph.test_canonical_properties import (
    BODIES,
    EVERY_KIND,
    JSON,
    PLANTED,
    PLANTS,
    changed,
    objects,
    same,
    shuffled,
    with_metadata,
)

CHANCE = st.randoms(use_true_random=False)
#: What names the elements of lists in synthetic objects.
NAMING = ("settingDefinitionId", "definitionId", "omaUri", "id", "locale", "name", "displayName", "actionType")
SETS = ("roleScopeTagIds", "roleScopeTags", "notificationMessageCCList", "members", "resourceScopes")

#: Objects whose id names the element that they are in.
DEFINING = [(".definition",), (".presentation",)]

Steps = tuple[str, ...]


# ---- places of a body, as a path says them


def name_of(element: Any) -> str:
    """An own, simple reading of what names an element: its strongest name, else an empty text."""
    if not isinstance(element, dict):
        return ""
    if "settingInstance" in element:
        return str(element["settingInstance"]["settingDefinitionId"])
    for key in ("definition", "presentation"):
        if key in element:
            return str(element[key]["id"])
    return next((element[key] for key in NAMING if key in element), "")


def places(value: Any, above: Steps = ()) -> Iterator[tuple[Steps, Any, Any]]:
    """Every place of a value, as (steps, container, key); sets are not looked into."""
    for key, one in list(value.items() if isinstance(value, dict) else enumerate(value)):
        steps = (*above, f".{key}" if isinstance(value, dict) else f"[{name_of(one) or key}]")
        yield steps, value, key
        if isinstance(value, list) and isinstance(one, dict) and list(one) == ["settingInstance"]:
            yield from places(one["settingInstance"], steps)
        elif isinstance(one, (dict, list)) and key not in SETS:
            yield from places(one, steps)


def written(steps: Steps) -> str:
    return "".join(steps).removeprefix(".")


def is_within(steps: Steps, other: Steps) -> bool:
    return steps[: len(other)] == other


# ---- edits


def can_be_edited(steps: Steps, container: Any, key: Any) -> bool:
    """Neither a secret nor what names an element, and no element without a name."""
    if isinstance(container, list):
        return bool(name_of(container[key]))
    in_element = len(steps) > 1 and steps[-2].startswith("[")
    is_naming = key in (*NAMING, "definition", "presentation") and (in_element or steps[-2:-1] in DEFINING)
    return not is_naming and container[key] != "secret" and key != "settingInstance"


def edit(steps: Steps, container: Any, key: Any, chance: random.Random) -> Steps:
    """Edits at a place; returns where the difference is."""
    value = container[key]
    if isinstance(value, dict) and isinstance(container, dict) and chance.random() < 0.5:
        value["zNew"] = chance.choice([0, "x", [], {"deep": [1]}])
        return (*steps, ".zNew")
    if isinstance(value, list) and value and name_of(value[0]) and chance.random() < 0.5:
        value.insert(chance.randint(0, len(value)), {"settingDefinitionId": "zNew", "x": 1})
        return (*steps, "[zNew]")
    if isinstance(value, (dict, list)) or chance.random() < 0.3:
        del container[key]
    else:
        container[key] = changed(value)
    return steps


def edited(form: dict[str, Any], chance: random.Random) -> tuple[dict[str, Any], list[Steps]]:
    """A copy of a canonical body with some edits at places that have nothing to do with each other, and these places.

    Edits go from the last place to the first, so that a list's indexes still hold.
    """
    after = copy.deepcopy(form)
    found = [place for place in places(after) if can_be_edited(*place)]
    chosen: list[tuple[Steps, Any, Any]] = []
    for place in chance.sample(found, len(found))[: chance.randint(1, 12)]:
        if not any(is_within(place[0], other[0]) or is_within(other[0], place[0]) for other in chosen):
            chosen.append(place)
    in_order = [place for place in reversed(found) if place in chosen]
    return after, [edit(steps, container, key, chance) for steps, container, key in in_order]


@examples(100)
@given(kind=EVERY_KIND, chance=CHANCE)
def test_edits_are_found_once_each_where_they_were_made(kind: GraphResource, chance: random.Random) -> None:
    before = chance.choice(objects(kind))
    after, edits = edited(canonical(kind, before), chance)
    made = differences(kind, before, shuffled(after, chance))
    assert sorted(one.path for one in made) == sorted(map(written, edits))
    assert {one.change for one in made} == {"modified"}


@examples(100)
@given(kind=EVERY_KIND, chance=CHANCE)
def test_the_differences_are_all_that_differs(kind: GraphResource, chance: random.Random) -> None:
    """The old values are those before, the new ones those after, and beside their paths both bodies are equal."""
    before = canonical(kind, chance.choice(objects(kind)))
    after, _ = edited(before, chance)
    sides = [
        {written(steps): (container[key], steps) for steps, container, key in places(one)} for one in (before, after)
    ]
    made = differences(kind, before, after)
    for one in made:
        for side, value in zip(sides, (one.old, one.new), strict=True):
            assert same(side.pop(one.path, (None,))[0], value)
    paths = {one.path for one in made}
    left = [
        {
            path: value
            for path, (value, steps) in side.items()
            if not isinstance(value, (dict, list)) and not any(written(steps[:n]) in paths for n in range(len(steps)))
        }
        for side in sides
    ]
    assert same(*left)


# ---- noise


def in_another_case(value: Any) -> Any:
    if isinstance(value, list):
        return [in_another_case(one) for one in value]
    if isinstance(value, dict):
        return {key: in_another_case(one) for key, one in value.items()}
    return value.upper() if isinstance(value, str) and len(value) == 36 and value.count("-") == 4 else value


def with_noise(body: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    noisy: dict[str, Any] = in_another_case(with_metadata(body)) | {
        "version": chance.random(),
        "id": "other",
        "zz": None,
    }
    for key in [key for key in ("description", "zz") if noisy.get(key) in (None, "")]:
        noisy[key] = chance.choice([None, ""])
    for key in SETS:
        if isinstance(noisy.get(key), list):
            chance.shuffle(noisy[key])
    made: dict[str, Any] = shuffled(noisy, chance)
    return made


@given(kind=EVERY_KIND, chance=CHANCE)
def test_noise_is_no_difference(kind: GraphResource, chance: random.Random) -> None:
    body = {**chance.choice(objects(kind)), "roleScopeTagIds": ["0", "7", "11"]}
    assert differences(kind, body, body) == []
    assert differences(kind, body, with_noise(body, chance)) == []


# ---- any JSON


def turned(value: Any, chance: random.Random, other: Any) -> Any:
    """The value with some of it moved, doubled, left out or replaced."""
    if chance.random() < 0.08:
        return other
    if isinstance(value, dict):
        return {key: turned(one, chance, other) for key, one in value.items() if chance.random() < 0.9}
    if not isinstance(value, list):
        return value
    kept = [turned(one, chance, other) for one in value if chance.random() < 0.9]
    return chance.sample(kept, len(kept)) + chance.choices(kept, k=chance.randint(0, 1)) if kept else kept


@examples(300)
@given(kind=EVERY_KIND, body=BODIES, other=JSON, lists=st.lists(JSON, max_size=8), chance=CHANCE)
def test_bodies_differ_exactly_where_their_hashes_do(
    kind: GraphResource, body: dict[str, Any], other: Any, lists: list[Any], chance: random.Random
) -> None:
    before = {**body, "lists": lists, "categories": lists, "apps": lists}
    after = turned(before, chance, other)
    after = after if isinstance(after, dict) else {}
    made = differences(kind, before, after)
    assert bool(made) == (canonical_hash(kind, before) != canonical_hash(kind, after))
    assert len({one.path for one in made}) == len(made)
    assert differences(kind, before, before) == []
    assert all(one.path.encode() for one in made)
    assert all(not same(one.old, one.new) or one.old is None for one in made)


@given(kind=EVERY_KIND, value=PLANTS, again=PLANTS)
def test_no_secret_is_in_a_difference(kind: GraphResource, value: Any, again: Any) -> None:
    token = {"settingDefinitionId": "wifi_psk", "value": {"value": value, "valueState": "encryptedValueToken"}}
    changed_token = {**token, "value": {"value": again, "valueState": "notEncrypted"}}
    before, other = {"settings": [token]}, {"settings": [changed_token]}
    assert differences(kind, before, other) == []
    afters: list[dict[str, Any]] = [
        {"settings": []},
        {"settings": [{**token, "value": 1}]},
        {"settings": {"x": changed_token}},
    ]
    for after in afters:
        assert PLANTED not in str(differences(kind, before, after))
        assert PLANTED not in str(differences(kind, after, before))


# ---- assignments

GROUPS = [f"0c2e3a41-0000-4000-8000-00000000000{letter}" for letter in "abcdef"]
TARGETS = st.builds(
    lambda type_, id_, **filter_: typed(f"{type_}AssignmentTarget", groupId=id_, **filter_),
    st.sampled_from(["group", "exclusionGroup"]),
    st.sampled_from(GROUPS[:3]),
    **{FILTER_ID: st.sampled_from([None, *GROUPS[:2]]), FILTER_TYPE: st.sampled_from(["none", "include", "exclude"])},
) | st.sampled_from([typed("allDevicesAssignmentTarget"), typed("allLicensedUsersAssignmentTarget")])
ASSIGNMENTS = st.lists(
    st.builds(
        lambda target, **more: {"target": target, **more},
        TARGETS | JSON,
        intent=st.sampled_from([None, "available", "required"]),
        source=st.sampled_from([None, "direct", "policySets"]),
        settings=st.none() | JSON,
    ),
    max_size=6,
)
NAMES = st.dictionaries(st.sampled_from(GROUPS), st.sampled_from(["Sales", "Pilot "]))


@examples(200)
@given(before=ASSIGNMENTS, after=ASSIGNMENTS, names=NAMES, chance=CHANCE)
def test_the_differences_turn_assignments_into_the_others(
    before: list[Any], after: list[Any], names: dict[str, str], chance: random.Random
) -> None:
    made = assignment_differences(before, after, names)
    assert bool(made) == (assignments_hash({"assignments": before}) != assignments_hash({"assignments": after}))
    assert len({one.path for one in made}) == len(made)
    assert all(one.words and one.change == "assignment" and not same(one.old, one.new) for one in made)
    # What went is taken from before, what came is put there.
    result = list(canonical_of(before))
    for one in made:
        if one.old is not None:
            result.remove(next(other for other in result if same(other, one.old)))
        result += [] if one.new is None else [one.new]
    assert assignments_hash({"assignments": result}) == assignments_hash({"assignments": after})
    noisy = [shuffled(in_another_case({**one, "id": "x"}), chance) for one in chance.sample(before, len(before))]
    assert assignment_differences(before, noisy, names) == []


def canonical_of(assignments: list[Any]) -> list[dict[str, Any]]:
    """The canonical assignments, as the only difference to what was not read."""
    found: list[dict[str, Any]] = assignment_differences(assignments, None, {})[0].old
    return found


@given(chance=CHANCE, names=NAMES)
def test_edits_of_assignments_are_found_once_each(chance: random.Random, names: dict[str, str]) -> None:
    before = [{"target": typed("groupAssignmentTarget", groupId=id_)} for id_ in GROUPS]
    after: list[Any] = []
    expected: list[tuple[str, str]] = []
    for one, id_ in zip(before, GROUPS, strict=True):
        excluded = {"target": typed("exclusionGroupAssignmentTarget", groupId=id_)}
        new, words = chance.choice([(one, ""), (None, "removed (was include)"), (excluded, "include → exclude")])
        after += [new] if new else []
        expected += [(f"assignments[{id_}]", f"{names.get(id_, id_)}: {words}")] if words else []
    made = assignment_differences(before, chance.sample(after, len(after)), names)
    assert [(one.path, one.words) for one in made] == expected
