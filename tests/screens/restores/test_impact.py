"""The impact of a restore in numbers and words, what is missing before it may be executed, and its steps in a line."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.cells import cell_len

from screens.restores import impact as told
from screens.restores import steps
from screens.restores.impact import Given, Impact
from store.intune.restore_page import ListedRestore
from tests.screens.conftest import AT
from tests.screens.restores.impacts import RESTORE, an_item
from tests.screens.restores.stage import (
    CHECKED,
    DRAFT,
    PARTIAL,
    PREVIEWED,
    PREVIEWING,
    READY,
    RUNNING,
    SCOPED,
)


def test_what_is_missing_comes_in_the_order_of_the_screen() -> None:
    impact = Impact(made=1, wanted={"everybody": 2, "downgrade": 1})
    given = Given()
    assert told.missing(RESTORE, impact, given) == ("Give the 2 ticks that it wants, or leave these objects out.")
    given = replace(given, ticks=frozenset({"everybody", "downgrade"}))
    assert told.missing(RESTORE, impact, given) == "Tick 'I reviewed the impact'."
    assert told.missing(RESTORE, impact, replace(given, reviewed=True)) == "Type the name of the tenant exactly."
    assert told.missing(RESTORE, impact, replace(given, reviewed=True, tenant_name=" Contoso Ltd ")) is None
    assert not told.is_named(replace(RESTORE, tenant_name=""), "")


def test_another_impact_is_one_that_writes_otherwise_or_was_previewed_anew() -> None:
    one, other = an_item(1, "create"), an_item(2, "create")
    left_out = {"skip": True}
    first = (RESTORE, told.impact_of(RESTORE, [one, replace(other, choice=left_out)]))
    swapped = (RESTORE, told.impact_of(RESTORE, [replace(one, choice=left_out), other]))
    assert told.is_another(first, swapped)
    assert told.is_another(first, (replace(RESTORE, previewed_at=AT), first[1]))
    agreed = replace(RESTORE, ticks=("everybody",), updated_at=AT)
    assert not told.is_another(first, (agreed, replace(first[1], wanted={"everybody": 1})))


def test_an_odd_plan_counts_for_nothing() -> None:
    odd = an_item(1, "create", {"assignments": [None, 5, {"state": ["x"]}], "needs": "everybody", "everybody": "yes"})
    found = told.impact_of(RESTORE, [odd, an_item(2, "create", {"assignments": "x"})])
    assert (found.made, found.everybody, found.assignments.get("kept"), dict(found.wanted)) == (2, 0, None, {})


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (DRAFT, "1 set ✓  ▸ 2 scope: e chooses  3 checks  4 preview  5 confirm"),
        (SCOPED, "1 set ✓  2 scope ✓  ▸ 3 checks: 2 groups not decided on  4 preview  5 confirm"),
        (CHECKED, "1 set ✓  2 scope ✓  3 checks ✓  ▸ 4 preview: p makes it  5 confirm"),
        (PREVIEWING, "1 set ✓  2 scope ✓  3 checks ✓  ▸ 4 preview: a worker reads  5 confirm"),
        (PREVIEWED, "1 set ✓  2 scope ✓  3 checks ✓  ▸ 4 preview: 2 blocked  5 confirm"),
        (READY, "1 set ✓  2 scope ✓  3 checks ✓  4 preview ✓  ▸ 5 confirm: E shows the impact"),
        (RUNNING, ""),
        (PARTIAL, ""),
    ],
)
def test_the_steps_mark_the_present_one_and_fit(found: ListedRestore, line: str) -> None:
    for width in range(12, 100):
        for ascii_only in (False, True):
            cells = steps.line(found, 2, width, ascii_only)
            text = "".join(one.text for one in cells)
            assert cell_len(text) <= width
            assert not ascii_only or width < 30 or text.isascii()
            assert width < 80 or ascii_only or text == line
            assert [one.style for one in cells].count("bold") == bool(line)
