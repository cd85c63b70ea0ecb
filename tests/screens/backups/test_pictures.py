"""Pictures of the backups: sets, one set, one item, in every state that a person can meet."""

from __future__ import annotations

from dataclasses import replace

import pytest

from store.intune.backup_page import ItemWanted
from store.intune.backup_records import BackupKind
from store.intune.backup_sets import BackupSetDetail, BackupSets, SetsWanted, SetWanted
from store.people.access import Membership, Role
from tests.screens.backups.stage import DETAIL, INCOMPLETE, KINDS, ODD, ONE, REFUSED, UNFINISHED, WHOLE, stage
from tests.screens.conftest import CONTOSO, HOSTILE
from tests.screens.inventory.stage import LONG
from tests.screens.pictures import Picture

NOTHING = (SetsWanted("contoso"), BackupSets(CONTOSO, (), False))
TO_INCOMPLETE = ("B", "j", "j", "enter")
TO_ITEM = (*TO_INCOMPLETE, "j", "enter")


def test_sets(picture: Picture) -> None:
    assert picture(stage(), "B", in_ascii=True)


def test_sets_with_the_cursor_on_one_that_is_incomplete(picture: Picture) -> None:
    assert picture(stage(), "B", "j", "j", sizes=((80, 24), (40, 16)))


def test_no_set_yet(picture: Picture) -> None:
    assert picture(stage(NOTHING), "B")


def test_no_set_yet_for_one_who_may_only_look(picture: Picture) -> None:
    assert picture(stage(NOTHING, members=(Membership(CONTOSO, Role.READONLY),)), "B", "s", sizes=((80, 24),))


def test_nothing_is_added_to_what_something_stands_on(picture: Picture) -> None:
    assert picture(stage(), "B", *"jjjj", "a", sizes=((80, 24),))


def test_set_with_kinds_that_could_not_be_read(picture: Picture) -> None:
    assert picture(stage(), *TO_INCOMPLETE, "j", in_ascii=True)


def test_set_with_all_that_is_above_its_items(picture: Picture) -> None:
    assert picture(stage(), *TO_INCOMPLETE, "z")


def test_set_on_a_narrow_terminal(picture: Picture) -> None:
    assert picture(stage(), *TO_INCOMPLETE, sizes=((40, 16), (60, 20)))


def test_set_that_is_complete(picture: Picture) -> None:
    assert picture(stage(), "B", *"jjjj", "enter")


def test_set_that_is_unfinished_and_has_nothing(picture: Picture) -> None:
    bare = BackupSetDetail(replace(UNFINISHED, items={}, kinds=0), (), (), False)
    assert picture(stage((SetWanted(15), bare)), "B", "j", "enter", sizes=((80, 24),))


def test_set_of_which_no_kind_could_be_read(picture: Picture) -> None:
    failed = tuple(BackupKind(kind, 0, 0, "graph.forbidden", REFUSED) for kind in KINDS)
    found = replace(INCOMPLETE, items={}, failed_kinds=len(KINDS))
    none = BackupSetDetail(found, failed, (), False)
    assert picture(stage((SetWanted(14), none)), *TO_INCOMPLETE, "z", sizes=((80, 24),))


def test_set_with_an_odd_name(picture: Picture) -> None:
    assert picture(
        stage((SetWanted(9), replace(DETAIL, found=ODD, kinds=WHOLE.kinds))), "B", *"jjjjjjj", "enter", "G", "k", "k"
    )


def test_set_that_is_searched(picture: Picture) -> None:
    found = replace(DETAIL, items=DETAIL.items[:1])
    assert picture(stage((SetWanted(14, text="bit"), found)), *TO_INCOMPLETE, "slash", *"bit", "enter", "slash")


def test_set_that_was_removed(picture: Picture) -> None:
    assert picture(stage((SetWanted(14), None)), *TO_INCOMPLETE, sizes=((80, 24),))


def test_item(picture: Picture) -> None:
    assert picture(stage(), *TO_ITEM, in_ascii=True)


def test_item_unfolded_further_down(picture: Picture) -> None:
    assert picture(stage(), *TO_ITEM, "z", "end")


def test_item_with_odd_text_and_unknown_assignments(picture: Picture) -> None:
    odd = replace(
        ONE.item, name=LONG, platform=HOSTILE, external_id=HOSTILE, assignments=None, gaps=[("reference_lost", HOSTILE)]
    )
    assert picture(stage((ItemWanted(2), replace(ONE, found=ODD, item=odd))), *TO_ITEM)


def test_item_without_colour(picture: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert picture(stage(), *TO_ITEM, sizes=((80, 24),))
