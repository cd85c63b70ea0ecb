"""The order of a restore: what others refer to comes first, else the order that was given."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tasks.graph.resource import KindName
from tasks.graph.resources import BY_NAME, KINDS
from tasks.operations.restore.order import in_order
from tests.support.properties import examples

DEVICES = BY_NAME["device_configurations"]
#: A key, the name of its kind (a whole kind is long to write down), and the keys that it refers to.
Item = tuple[int, KindName, set[int]]


def ordered(items: list[Item]) -> list[int]:
    return in_order((key, BY_NAME[kind], refs) for key, kind, refs in items)


def test_certificates_come_before_the_networks_that_use_them() -> None:
    items = [
        ("wifi", DEVICES, {"scep", "root"}),
        ("tag", BY_NAME["scope_tags"], set[str]()),
        ("scep", DEVICES, {"root", "tag"}),
        ("other", DEVICES, set[str]()),
        ("root", DEVICES, {"tag", "not among them"}),
    ]
    assert in_order(items) == ["tag", "other", "root", "scep", "wifi"]


def test_a_kind_goes_before_references() -> None:
    """Such a reference against the order of the kinds is no cause to leave it."""
    assert in_order([("policy", DEVICES, set()), ("tag", BY_NAME["scope_tags"], {"policy"})]) == ["tag", "policy"]


def test_a_circle_is_broken_where_it_was_given_first() -> None:
    circle = [("b", DEVICES, {"c"}), ("c", DEVICES, {"b"})]
    assert in_order(circle) == ["b", "c"]
    assert in_order([("needs it", DEVICES, {"c"}), *circle, ("itself", DEVICES, {"itself"})]) == [
        "itself",
        "b",
        "c",
        "needs it",
    ]


def test_a_long_chain_is_no_trouble() -> None:
    count = 5000
    items = [(number, DEVICES, {number + 1}) for number in range(count)]
    assert in_order(items) == list(reversed(range(count)))


@st.composite
def items_(draw: st.DrawFn) -> list[Item]:
    kinds = st.sampled_from([*[DEVICES.name] * 3, *(kind.name for kind in KINDS)])
    keys = draw(st.lists(st.integers(0, 12), unique=True))
    return [(key, draw(kinds), draw(st.sets(st.integers(0, 12), max_size=3))) for key in keys]


def reached(items: list[Item], start: int) -> set[int]:
    """What an item refers to at its own place in the order of kinds, directly or not."""
    by_key = {key: (BY_NAME[kind].order, refs) for key, kind, refs in items}
    found, open_ = set[int](), [start]
    while open_:
        order, refs = by_key[open_.pop()]
        new = {ref for ref in refs if ref in by_key and by_key[ref][0] == order} - found
        found |= new
        open_ += new
    return found


@given(items_())
@examples(250)
def test_all_items_come_once_after_what_they_refer_to(items: list[Item]) -> None:
    made = ordered(items)
    assert sorted(made) == sorted(key for key, _, _ in items)
    orders = {key: BY_NAME[kind].order for key, kind, _ in items}
    assert [orders[key] for key in made] == sorted(orders.values())
    places = {key: place for place, key in enumerate(made)}
    for key, _, refs in items:
        for ref in refs & reached(items, key):
            assert places[ref] < places[key] or key in reached(items, ref)


@given(items_())
@examples(100)
def test_the_given_order_stays_where_nothing_refers(items: list[Item]) -> None:
    bare = [(key, kind, set[int]()) for key, kind, _ in items]
    assert ordered(bare) == [key for key, _, _ in sorted(bare, key=lambda item: BY_NAME[item[1]].order)]
