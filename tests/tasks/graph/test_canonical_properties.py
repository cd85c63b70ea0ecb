"""Properties of the canonical form, over the objects of synthetic tenants and over generated bodies."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.intune.inventory import storable
from tasks.graph.canonical import (
    assignments_hash,
    bare,
    canonical,
    canonical_assignments,
    canonical_hash,
    content_hash,
)
from tasks.graph.places import find
from tasks.graph.resource import GraphResource, Place
from tasks.graph.resources import KINDS, READ_ONLY
from tasks.graph.simulator import synthetic
from tests.support.properties import examples

TENANT = synthetic("contoso", 11, 150)
SECRET_TYPE = "#microsoft.graph.deviceManagementConfigurationSecretSettingValue"
PLANTED = "PLANTED"
ABOUT_ASSIGNMENTS = ("assignments", "target", "groupId", "source", "sourceId", "intent")
FILTER = ("deviceAndAppManagementAssignmentFilterId", "deviceAndAppManagementAssignmentFilterType")

#: Keys that mean something in some kind, and some that do not.
PATHS = [path for kind in KINDS for path in (*kind.volatile, *kind.sets, *(place.path for place in kind.secrets))]
KEYS = st.sampled_from(
    sorted(
        {key for path in PATHS for key in path.replace("[]", "").split(".")} - {"**"}
        | {"@odata.type", "x@odata.type", "@odata.etag", "x@odata.bind", "#microsoft.graph.assign", "x", "id"}
        | {"valueState", "isEncrypted", "roleScopeTagIds", "roleScopeTags", *ABOUT_ASSIGNMENTS, *FILTER, *READ_ONLY}
    )
)
TEXTS = st.text(max_size=4) | st.sampled_from(
    [
        "****",
        "encryptedValueToken",
        "notEncrypted",
        "direct",
        "none",
        SECRET_TYPE,
        "#microsoft.graph.mimeContent",
        "0C2E3A41-0000-4000-8000-00000000000A",
        "00000000-0000-0000-0000-000000000000",
        "x\x00",
        "\ud800",
    ]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=25
)
BODIES = st.dictionaries(KEYS, JSON, max_size=8)
EVERY_KIND = st.sampled_from(KINDS)


def objects(kind: GraphResource) -> list[dict[str, Any]]:
    return list(TENANT.objects[kind.name].values())


def same(one: Any, other: Any) -> bool:
    """Equal as JSON: NaN is itself, True is not 1."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def shuffled(value: Any, chance: random.Random) -> Any:
    """The value with the keys of all its objects in another order."""
    if isinstance(value, list):
        return [shuffled(one, chance) for one in value]
    if not isinstance(value, dict):
        return value
    return {key: shuffled(value[key], chance) for key in chance.sample(list(value), len(value))}


@given(kind=EVERY_KIND, body=BODIES, chance=st.randoms(use_true_random=False))
def test_any_json_has_one_form(kind: GraphResource, body: dict[str, Any], chance: random.Random) -> None:
    before = copy.deepcopy(body)
    form, assignments = canonical(kind, body), canonical_assignments(body)
    assert same(canonical(kind, form), form)
    assert same(canonical_assignments({"assignments": assignments}), assignments)
    assert same(bare(bare(body)), bare(body))
    other = shuffled(body, chance)
    for place in (*kind.sets, "roleScopeTagIds", "roleScopeTags", "assignments"):
        for container, key in find(other, place):
            if isinstance(container[key], list):
                chance.shuffle(container[key])
    assert same(canonical(kind, other), form)
    assert assignments_hash(other) == assignments_hash(body)
    assert content_hash(shuffled(body, chance)) == content_hash(body) == content_hash(bare(body))
    assert same(body, before)


@given(kind=EVERY_KIND, body=BODIES)
def test_a_stored_copy_has_the_hash_of_what_was_read(kind: GraphResource, body: dict[str, Any]) -> None:
    stored = storable(body)
    assert canonical_hash(kind, stored) == canonical_hash(kind, body) == canonical_hash(kind, bare(stored))
    assert assignments_hash(stored) == assignments_hash(body)


# ---- secrets

PLANTS = st.sampled_from([PLANTED, [PLANTED], {"value": PLANTED}])
TOKENS = st.builds(
    lambda value, state, **type_: {"value": value, "valueState": state, **type_},
    PLANTS,
    st.sampled_from(["encryptedValueToken", "notEncrypted"]),
) | st.builds(lambda value: {"value": value, "@odata.type": SECRET_TYPE}, PLANTS)
WITH_TOKENS = st.recursive(
    TOKENS, lambda inner: st.lists(inner | JSON, max_size=3) | st.dictionaries(KEYS, inner | JSON, max_size=3)
)
OMA = st.builds(lambda value: {"value": value, "isEncrypted": True, "secretReferenceValueId": PLANTED}, PLANTS)


@given(kind=EVERY_KIND, body=BODIES, token=WITH_TOKENS, oma=st.lists(OMA), key=PLANTS)
def test_no_secret_is_in_the_form(kind: GraphResource, body: dict[str, Any], token: Any, oma: Any, key: Any) -> None:
    if kind.name == "device_configurations":
        body = {**body, "omaSettings": oma, "preSharedKey": key}
    elif any(place.of_type for place in kind.secrets):
        body = {**body, "planted": token}
    assert PLANTED not in json.dumps(canonical(kind, body))
    assert "tok-9f" not in json.dumps(canonical(kind, {"x": {"value": "tok-9f", "valueState": "encryptedValueToken"}}))


# ---- what is a change


def leaves(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place of a plain value, as (container, key)."""
    for key, one in list(value.items() if isinstance(value, dict) else enumerate(value)):
        if isinstance(one, (dict, list)):
            yield from leaves(one)
        else:
            yield value, key


def changed(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    return f"{value}x" if isinstance(value, str) else 1 if value is None else value + 1


def ignored(kind: GraphResource, body: dict[str, Any]) -> set[tuple[int, Any]]:
    """The leaves that are no part of the form: what Graph sets, ids of parts, volatile places, secrets."""
    parts = [
        "settings[].id",
        "scheduledActionsForRule[].id",
        "scheduledActionsForRule[].scheduledActionConfigurations[].id",
    ]
    places: list[Place | str] = [*READ_ONLY, *kind.volatile, *parts, *kind.secrets]
    found = {(id(container), key) for place in places for container, key in find(body, place)}
    return found | {(id(container), key) for container, key in leaves(body.get("assignments", []))}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_change_of_any_other_leaf_is_a_change(kind: GraphResource) -> None:
    """Also: a change of what is ignored is none. Every leaf of two objects of the kind."""
    found = sorted(objects(kind), key=lambda one: ("Secret" in str(one) or "omaUri" in str(one), len(str(one))))
    for item in found[-2:]:
        body = copy.deepcopy(item)
        before, passed_over = canonical_hash(kind, body), ignored(kind, body)
        assert len(list(leaves(body))) > len(passed_over) > 0
        for container, key in leaves(body):
            was, container[key] = container[key], changed(container[key])
            is_changed = canonical_hash(kind, body) != before
            assert is_changed != ((id(container), key) in passed_over), (key, was)
            container[key] = was


def with_metadata(value: Any) -> Any:
    """The value as Graph gives it with all metadata."""
    if isinstance(value, list):
        return [with_metadata(one) for one in value]
    if not isinstance(value, dict):
        return value
    made: dict[str, Any] = {"@odata.id": "x", "@odata.editLink": "x", "#microsoft.graph.assign": {"title": "x"}}
    for key, one in value.items():
        made |= {f"{key}@odata.type": "#x", f"{key}@odata.navigationLink": "x", key: with_metadata(one)}
    return made


@examples(20)
@given(kind=EVERY_KIND, chance=st.randoms(use_true_random=False))
def test_an_object_has_one_hash_however_it_was_read(kind: GraphResource, chance: random.Random) -> None:
    for item in objects(kind)[:5]:
        whole = shuffled(with_metadata(item), chance)
        without = {key: one for key, one in item.items() if key not in READ_ONLY and one not in (None, "")}
        assert canonical_hash(kind, whole) == canonical_hash(kind, without) == canonical_hash(kind, item)
        assert assignments_hash(whole) == assignments_hash(item)
        assert same(bare(whole), item)
