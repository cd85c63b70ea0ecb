"""Pictures of the restores: the history, one restore, one item, in every state that a person can meet."""

from __future__ import annotations

from dataclasses import replace

import pytest

from store.intune.restore_page import RestoreItemWanted, Restores, RestoresWanted, RestoreWanted
from store.people.access import Membership, Role
from tests.screens.conftest import CONTOSO, HOSTILE, ago
from tests.screens.pictures import Picture
from tests.screens.restores.stage import ODD, READY, an_item, became, detail_of, stage

NOTHING = (RestoresWanted("contoso"), Restores(CONTOSO, (), False))
TO_PREVIEWED = ("X", *"jjj", "enter")
TO_ITEM = (*TO_PREVIEWED, *"jjjj", "enter")


def test_history(picture: Picture) -> None:
    assert picture(stage(), "X", "j", "j", "j", in_ascii=True)


def test_history_on_a_narrow_terminal(picture: Picture) -> None:
    assert picture(stage(), "X", *"jjjjj", sizes=((40, 16), (60, 20)))


def test_no_restore_yet(picture: Picture) -> None:
    assert picture(stage(NOTHING), "X", "p", sizes=((80, 24),))


def test_restore_that_is_blocked(picture: Picture) -> None:
    assert picture(stage(), *TO_PREVIEWED, *"jjj", in_ascii=True)


def test_restore_that_wants_to_be_agreed_to(picture: Picture) -> None:
    ready = detail_of(READY, missing_ticks={"no_actions": 2})
    assert picture(stage((RestoreWanted(10), ready)), "X", *"jjjj", "enter", "j", "z")


def test_restore_with_undecided_groups(picture: Picture) -> None:
    assert picture(stage(), "X", "enter", sizes=((80, 24),))


def test_restore_that_is_running(picture: Picture) -> None:
    assert picture(stage(), "X", *"jjjjj", "enter", "j", "x")


def test_restore_that_waits_for_approval(picture: Picture) -> None:
    assert picture(stage(), "X", *"jjjjjj", "enter", sizes=((80, 24),))


def test_restore_that_has_overwritten_something(picture: Picture) -> None:
    assert picture(stage(), "X", *"jjjjjjj", "enter", "z", "f")


def test_restore_with_odd_text(picture: Picture) -> None:
    odd = detail_of(ODD, items=detail_of(READY).items)
    assert picture(stage((RestoreWanted(4), odd)), "X", *"jjjjjjjjjj", "enter", "z", "G", "k")


def test_restore_on_a_narrow_terminal(picture: Picture) -> None:
    assert picture(stage(), *TO_PREVIEWED, sizes=((40, 16), (60, 20)))


def test_restore_that_is_gone(picture: Picture) -> None:
    assert picture(stage((RestoreWanted(11), None)), *TO_PREVIEWED, sizes=((80, 24),))


def test_restore_for_one_who_may_only_look(picture: Picture) -> None:
    reader = (Membership(CONTOSO, Role.READONLY),)
    assert picture(stage(members=reader), *TO_PREVIEWED, "p", sizes=((80, 24),))


def test_question_before_an_object_is_left_out(picture: Picture) -> None:
    assert picture(stage(), *TO_PREVIEWED, "x", sizes=((80, 24),))


def test_candidates(picture: Picture) -> None:
    assert picture(stage(), *TO_PREVIEWED, *"jjjj", "c")


def test_item(picture: Picture) -> None:
    assert picture(stage(), *TO_ITEM, in_ascii=True)


def test_item_that_failed(picture: Picture) -> None:
    failed = became("failed", "graph.forbidden", "Microsoft Graph refused: scope tags", ago(60))
    assert picture(stage((RestoreItemWanted(11, 5), failed)), *TO_ITEM)


def test_item_with_odd_text_and_an_odd_plan(picture: Picture) -> None:
    plan = {
        "reasons": [{"code": HOSTILE, "words": HOSTILE}], "candidates": [{"id": HOSTILE, "name": HOSTILE}, 5],
        "assignments": [{"words": HOSTILE, "state": HOSTILE, "reason": HOSTILE}, None], "more_differences": "x",
        "differences": [{"change": HOSTILE, "path": HOSTILE, "old": HOSTILE, "new": [HOSTILE]}, 7],
    }  # fmt: skip
    odd = an_item(name=HOSTILE, external_id=HOSTILE, action=HOSTILE, plan=plan, choice={"target_id": HOSTILE})
    assert picture(stage((RestoreItemWanted(11, 5), replace(odd, restore=ODD.restore))), *TO_ITEM)


def test_item_without_colour(picture: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert picture(stage(), *TO_ITEM, sizes=((80, 24),))
