"""Pictures of the groups of a restore, and of the search for one that stands for another."""

from __future__ import annotations

import pytest

from store.people.access import Membership, Role
from tests.screens.conftest import CONTOSO
from tests.screens.pictures import Picture
from tests.screens.restores.groups import HOSTILES, mapped, mapping_of, mapping_stage
from tests.screens.restores.stage import PREVIEWED, SCOPED

#: The keys from the list of runs to the groups of restore 14.
TO_GROUPS = ("X", "m")


def test_groups(picture: Picture) -> None:
    assert picture(mapping_stage(), *TO_GROUPS, *"jj", in_ascii=True)


def test_group_with_warnings(picture: Picture) -> None:
    assert picture(mapping_stage(), *TO_GROUPS, *"jjj")


def test_only_unresolved_ones(picture: Picture) -> None:
    assert picture(mapping_stage(), *TO_GROUPS, "b", "j", sizes=((80, 24),))


def test_groups_on_a_narrow_terminal(picture: Picture) -> None:
    assert picture(mapping_stage(), *TO_GROUPS, *"jjj", sizes=((40, 16), (60, 20)))


def test_all_decided(picture: Picture) -> None:
    decided = mapping_of(SCOPED, [mapped(1, "All sales", "All sales")])
    assert picture(mapping_stage(SCOPED, decided), *TO_GROUPS, sizes=((80, 24),))


def test_no_groups_and_a_directory_that_was_never_read(picture: Picture) -> None:
    nothing = mapping_of(SCOPED, [], read_at=None, complete_at=None)
    assert picture(mapping_stage(SCOPED, nothing), *TO_GROUPS, sizes=((80, 24),))


def test_hostile_names(picture: Picture) -> None:
    assert picture(mapping_stage(SCOPED, mapping_of(SCOPED, HOSTILES)), *TO_GROUPS, "j")


def test_search(picture: Picture) -> None:
    keys = (*TO_GROUPS, *"jj", "enter", "ctrl+u", *"sa", "down")
    assert picture(mapping_stage(), *keys, in_ascii=True, shows="2 of 12,004 groups.")


def test_search_that_finds_nothing(picture: Picture) -> None:
    assert picture(mapping_stage(), *TO_GROUPS, *"jjjj", "enter", sizes=((80, 24), (40, 16)), shows="None of")


def test_question_while_there_is_a_preview(picture: Picture) -> None:
    assert picture(mapping_stage(PREVIEWED), "X", *"jjj", "m", "x", sizes=((80, 24),))


def test_for_one_who_may_only_look(picture: Picture) -> None:
    reader = (Membership(CONTOSO, Role.READONLY),)
    assert picture(mapping_stage(members=reader), *TO_GROUPS, "x", sizes=((80, 24),))


def test_groups_without_colour(picture: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert picture(mapping_stage(), *TO_GROUPS, sizes=((80, 24),))
