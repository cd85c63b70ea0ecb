"""What was written comes back equal, whatever it is called and whatever is in it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.intune.backup_records import BackupItem, ItemReference
from store.intune.inventory import storable
from tasks.backup_folder import read, write
from tasks.backup_folder.items import Found, item_of
from tasks.graph.resource import GraphResource
from tasks.graph.resources import KINDS
from tasks.graph.simulator import synthetic
from tests.support.properties import examples
from tests.tasks.backup_folder.bodies import GROUP, MANIFEST, files, item
from tests.tasks.backup_folder.test_safe_names import NAMES

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
KEYS = TEXTS | st.sampled_from(["displayName", "name", "@odata.type", "settings", "value", "platforms", "x@odata.id"])
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)
GAPS = st.tuples(st.sampled_from(["reference_lost", "content_missing"]), TEXTS)
ASSIGNMENTS = st.lists(st.dictionaries(KEYS, JSON, max_size=3) | st.just({"target": {"groupId": GROUP}}), max_size=2)


@st.composite
def any_items(draw: st.DrawFn) -> BackupItem:
    kind: GraphResource = draw(st.sampled_from(KINDS))
    body: dict[str, Any] = draw(st.dictionaries(KEYS, JSON, max_size=5))
    name = draw(st.sampled_from(NAMES) | TEXTS)
    assignments = draw(st.none() | ASSIGNMENTS)
    references = [ItemReference("groups", GROUP, draw(st.none() | TEXTS)), ItemReference("groups", "not there")]
    gaps = draw(st.lists(GAPS, max_size=2))
    found = Found(kind, draw(TEXTS.filter(bool)), body, assignments, name, None, references, gaps)
    return item_of(found)


def came_back(written: Sequence[BackupItem]) -> list[Any]:
    with tempfile.TemporaryDirectory() as made:
        write(Path(made), MANIFEST, written)
        return list(read(Path(made)))


def by_key(items: Sequence[Any]) -> list[Any]:
    return sorted(items, key=lambda one: (one.kind, one.external_id))


def shown(items: Sequence[Any]) -> list[tuple[Any, str]]:
    return [(one, json.dumps(one.body)) for one in by_key(items)]


@examples(100)
@given(written=st.lists(any_items(), max_size=3, unique_by=lambda one: (one.kind, one.external_id)))
def test_any_items_come_back_equal(written: list[BackupItem]) -> None:
    assert all(storable(dict(one.body)) == one.body for one in written)
    # Equal, and with the keys in the same order, which `==` does not look at.
    assert shown(came_back(written)) == shown(written)


def test_the_names_of_tenants_come_back_each_in_one_file(out: Path) -> None:
    written = [item(name, f"{number:04}", displayName=name or None) for number, name in enumerate(NAMES) if name]
    written += [item("Wi-Fi", "A-1"), item("Wi-Fi", "a-1")]
    write(out, MANIFEST, written)
    names = [path.relative_to(out).as_posix().lower() for path in files(out)]
    assert len(set(names)) == len(written) + 1
    assert {name.count("/") for name in names} == {0, 1}
    assert by_key(list(read(out))) == by_key(written)


def test_what_the_store_cannot_keep_is_left_out() -> None:
    (back,) = came_back([item(description="a\0b\ud800", number=float("inf"))])
    assert (back.body["description"], back.body["number"]) == ("ab?", None)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_objects_of_each_kind_come_back(kind: GraphResource) -> None:
    written = []
    for body in synthetic("contoso", seed=1, policies=40).listed(kind.name):
        assignments = body.pop("assignments", None)
        written.append(item_of(Found(kind, body["id"], body, assignments if kind.assign else [])))
    assert by_key(came_back(written)) == by_key(written)
    assert written
