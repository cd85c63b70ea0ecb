"""Pictures of the schedules of backups, in every state that a person can meet."""

from __future__ import annotations

import pytest

from store.errors import DatabaseAway
from store.intune.schedule_page import SchedulesWanted
from tests.screens.pictures import Picture
from tests.screens.schedules.stage import (
    ALL,
    HISTORY,
    NIGHTLY,
    ODD,
    OFTEN,
    READONLY,
    Changes,
    Stage,
    listed,
    page,
)


def with_history() -> Stage:
    stage = Stage(listed(OFTEN, HISTORY[0]))
    stage.schedules[SchedulesWanted("contoso", OFTEN.id)] = page(listed(OFTEN, HISTORY[0]), ticks=HISTORY)
    return stage


def test_schedules(picture: Picture) -> None:
    assert picture(Stage(*ALL), "S", "j", in_ascii=True)


def test_schedules_on_a_narrow_terminal(picture: Picture) -> None:
    assert picture(Stage(*ALL), "S", sizes=((40, 16), (60, 20)))


def test_no_schedules_yet(picture: Picture) -> None:
    assert picture(Stage(), "S")


def test_no_schedules_yet_for_one_who_may_only_look(picture: Picture) -> None:
    assert picture(Stage(members=READONLY), "S", "a", sizes=((80, 24),))


def test_odd_names(picture: Picture) -> None:
    assert picture(Stage(ODD, *ALL[:2]), "S")


def test_history(picture: Picture) -> None:
    assert picture(with_history(), "S", "enter", in_ascii=True)


def test_no_history_yet(picture: Picture) -> None:
    stage = Stage(listed(NIGHTLY))
    stage.schedules[SchedulesWanted("contoso", NIGHTLY.id)] = page(listed(NIGHTLY))
    assert picture(stage, "S", "enter", sizes=((80, 24),))


def test_the_question_before_one_is_removed(picture: Picture) -> None:
    assert picture(Stage(*ALL), "S", "j", "delete", sizes=((80, 24),))


def test_an_empty_form(picture: Picture) -> None:
    assert picture(Stage(*ALL), "S", "a")


def test_a_form_with_the_next_times(picture: Picture) -> None:
    assert picture(Stage(*ALL), "S", "j", "e", in_ascii=True)


def test_a_form_with_errors(picture: Picture) -> None:
    keys = ["S", "a", *"nightly", "tab", *"0 99 * * *", "tab", "end", *"x", "tab", *"0", "ctrl+s"]
    assert picture(Stage(*ALL), *keys, in_ascii=True)


def test_a_form_whose_cron_is_half_typed(picture: Picture) -> None:
    assert picture(Stage(*ALL), "S", "a", *"nightly", "tab", *"30 2", sizes=((80, 24),))


def test_a_form_on_a_narrow_terminal(picture: Picture) -> None:
    assert picture(Stage(*ALL), "S", "j", "e", sizes=((40, 16), (60, 20)))


def test_a_form_while_the_database_is_away(picture: Picture) -> None:
    away = Changes(error=DatabaseAway("connection refused"))
    keys = ["S", "a", *"nightly", "tab", *"0 3 * * *", "ctrl+s"]
    assert picture(Stage(*ALL, changes=away), *keys, sizes=((80, 24),))


def test_schedules_without_colour(picture: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert picture(Stage(*ALL), "S", sizes=((80, 24),))
