"""Two starts with the same identity are twins: what tells them apart, and what does not."""

from __future__ import annotations

import hashlib
import random
import string
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.runs.identity import identity_hash
from tests.support.properties import examples

ID = "6f9619ff-8b86-d011-b42d-00cf4fc964ff"
values = st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=5) | st.uuids().map(str)
inputs = st.dictionaries(
    st.text(string.ascii_lowercase, min_size=1, max_size=4), values | st.lists(values, max_size=4), max_size=5
)


def shuffled(value: Any, dice: random.Random) -> Any:
    """The same, said in another order, with ids in capitals and sets' members twice."""
    if isinstance(value, dict):
        items = list(value.items())
        dice.shuffle(items)
        return {key: shuffled(item, dice) for key, item in items}
    if isinstance(value, list):
        again = [shuffled(item, dice) for item in value + value[:1]]
        dice.shuffle(again)
        return dice.choice([list, tuple])(again)
    return value.upper() if isinstance(value, str) and len(value) == 36 and value.count("-") == 4 else value


@examples(100)
@given(inputs, st.integers())
def test_order_doubles_and_the_case_of_ids_do_not_matter(given_: dict[str, Any], seed: int) -> None:
    assert identity_hash(1, "x.y", given_) == identity_hash(1, "x.y", shuffled(given_, random.Random(seed)))


def canonical(given_: dict[str, Any]) -> dict[str, Any]:
    return {key: {repr(v) for v in value} if isinstance(value, list) else repr(value) for key, value in given_.items()}


@examples(100)
@given(inputs, inputs)
def test_other_inputs_are_another_identity(one: dict[str, Any], other: dict[str, Any]) -> None:
    same = canonical(one) == canonical(other)
    assert (identity_hash(1, "x.y", one) == identity_hash(1, "x.y", other)) == same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": "1"}, {"a": 1}),
        ({"a": 1}, {"a": True}),
        ({"a": ["b"]}, {"a": "b"}),
        ({"a": ["b", "c"]}, {"a": ["b,c"]}),
        ({"a": None}, {}),
        ({"a": "B"}, {"a": "b"}),
        ({"a": "x", "b": "y"}, {"a": "y", "b": "x"}),
        ({"a": f"{ID.upper()} "}, {"a": f"{ID} "}),
    ],
)
def test_near_misses_are_not_twins(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert identity_hash(1, "x.y", one) != identity_hash(1, "x.y", other)


def test_tenant_and_type_belong_to_it() -> None:
    assert len({identity_hash(tenant, type_, {}) for tenant in (1, 2, 11) for type_ in ("x.y", "1x.y", "x.z")}) == 9


def test_sets_are_taken_as_well_as_lists() -> None:
    assert identity_hash(1, "x.y", {"a": {"b", "c"}}) == identity_hash(1, "x.y", {"a": ["c", "b"]})
    assert identity_hash(1, "x.y", {"a": frozenset("bc")}) == identity_hash(1, "x.y", {"a": ("b", "c", "b")})


def test_it_is_the_same_in_every_process_and_version() -> None:
    """Stored hashes must go on meaning what they meant."""
    canonical_json = f'[7,"inventory.sync",{{"kinds":["{ID}","a","b"],"name":"\\u00fc","none":null}}]'
    inputs_ = f"{{'none': None, 'name': 'ü', 'kinds': {{'b', 'a', {ID!r}}}}}"
    code = f"from store.runs.identity import identity_hash; print(identity_hash(7, 'inventory.sync', {inputs_}))"
    for _ in range(2):  # strings hash otherwise in each process, so sets come in another order
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == hashlib.sha256(canonical_json.encode()).hexdigest()
