"""A picture of every screen at 80x24 and 140x40, in every state that a person can meet. Look at them when they change."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from screens.poll.poller import Freshness
from screens.runs.paging import cursor_of
from store.model.records import Counts, LogLine, Outcome, Status
from store.workers.pause import QueuePause
from tests.screens.conftest import HOSTILE, WORKER, FakeBackend, a_run, ago, hostile_run, runs_of_all_states, told
from tests.screens.pictures import Picture

MANY = (*runs_of_all_states(), *(a_run(id_) for id_ in range(989, 900, -1)))
INBOX = (
    told(4, 993),
    told(3, 993, "queued", read_at=ago(5)),
    told(2, 991, title="Sync inventory failed", outcome=Outcome.FAILED, body=HOSTILE),
)
EVENTS = (
    LogLine(1, ago(590), "info", "12 compliance policies"),
    LogLine(2, ago(580), "warning", "throttled by Graph: waiting 7 s"),
)


def test_list_of_all_states(picture: Picture) -> None:
    assert picture(FakeBackend(MANY, inbox=INBOX), in_ascii=True)


def test_list_with_marks_and_cursor_on_a_run_that_cannot_be_retried(picture: Picture) -> None:
    assert picture(FakeBackend(MANY), "j", "j", "space", "space", "k", "k", "k")


def test_list_of_one(picture: Picture) -> None:
    assert picture(FakeBackend((a_run(990),)))


def test_list_empty(picture: Picture) -> None:
    assert picture(FakeBackend())


@pytest.mark.parametrize("key", ["4", "5"], ids=["partial", "failed"])
def test_list_of_what_failed(picture: Picture, key: str) -> None:
    assert picture(FakeBackend(MANY), key, sizes=((80, 24), (50, 16)))


def test_list_on_a_narrow_terminal(picture: Picture) -> None:
    assert picture(FakeBackend(MANY), sizes=((40, 16), (60, 16)))


def test_list_empty_on_a_tab(picture: Picture) -> None:
    assert picture(FakeBackend((a_run(990),)), "5")


def test_list_hostile(picture: Picture) -> None:
    assert picture(FakeBackend((hostile_run(), a_run(998)), inbox=INBOX))


def test_list_without_colour(picture: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert picture(FakeBackend(MANY))


def test_list_on_a_small_terminal(picture: Picture) -> None:
    assert picture(FakeBackend(MANY), sizes=((60, 20),))


def test_list_stale(picture: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Freshness, "age", 12.0)
    assert picture(FakeBackend(MANY, poll_seconds=1), live=False)


def test_list_of_a_database_that_cannot_be_read(picture: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Freshness, "age", 12.0)
    assert picture(FakeBackend(MANY, poll_seconds=1, away="connection refused"), live=False)


def test_list_of_a_house_in_which_nobody_works(picture: Picture) -> None:
    """A worker was killed, the queue is paused, and both are said; the run that it had says for how long it is silent."""
    stage = FakeBackend(MANY, workers=(), paused=QueuePause("olga", "Olga Owner", ago(600)), silences={994: 12.0})
    assert picture(stage, in_ascii=True)


def test_run_whose_worker_is_silent(picture: Picture) -> None:
    detail = {"worker": replace(WORKER, beat_age=12.0), "silences": {994: 12.0}}
    assert picture(FakeBackend(MANY, detail=detail), "j", "enter", sizes=((80, 24),))


def test_list_that_looked_back_only_so_far(picture: Picture) -> None:
    assert picture(FakeBackend(MANY, reached=cursor_of(MANY[40])))


def test_list_further_down(picture: Picture) -> None:
    long = tuple(a_run(id_) for id_ in range(900, 100, -1))
    assert picture(FakeBackend(long), "G", "ctrl+u", "k")


def test_run_loading_and_stale(picture: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Freshness, "age", 12.0)
    assert picture(FakeBackend(MANY, poll_seconds=1), "enter")


def test_inbox_stale(picture: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Freshness, "age", 12.0)
    assert picture(FakeBackend(MANY, poll_seconds=1, inbox=INBOX), "n", live=False)


def test_list_loading(picture: Picture) -> None:
    assert picture(FakeBackend(MANY, hangs=threading.Event()), live=False, shows=" loading")


def test_list_paused(picture: Picture) -> None:
    assert picture(FakeBackend(MANY), "p")


def test_filter_line(picture: Picture) -> None:
    assert picture(FakeBackend(MANY), "slash", *"status:nothing", "enter")


def test_run_that_partially_succeeded(picture: Picture) -> None:
    assert picture(FakeBackend(MANY, events=EVENTS), "j", "j", "j", "enter")


def test_run_that_runs(picture: Picture) -> None:
    assert picture(FakeBackend(MANY, events=EVENTS), "j", "enter")


def test_run_that_waits_without_a_worker(picture: Picture) -> None:
    assert picture(FakeBackend(MANY, workers=()), "enter")


def test_run_that_was_retried(picture: Picture) -> None:
    assert picture(FakeBackend(MANY), "j", "j", "j", "j", "enter", "end")


def test_run_hostile(picture: Picture) -> None:
    stage = FakeBackend((hostile_run(),), events=(LogLine(1, ago(60), "error", HOSTILE),))
    assert picture(stage, "enter")


def test_run_of_an_operation_that_does_not_know_its_total(picture: Picture) -> None:
    run = a_run(990, Outcome.PENDING, Status.RUNNING, summary_counts=Counts(98, 98))
    assert picture(FakeBackend((run,)), "enter")


def test_start(picture: Picture) -> None:
    assert picture(FakeBackend(MANY), "s", in_ascii=True)


def test_form_of_the_probe(picture: Picture) -> None:
    assert picture(FakeBackend(MANY), "s", *"probe", "enter")


def test_form_that_is_filled_in_wrongly(picture: Picture) -> None:
    assert picture(FakeBackend(MANY), "s", *"probe", "enter", "tab", "tab", "x", shows="cannot be 'x'")


def test_form_with_choices(picture: Picture) -> None:
    assert picture(FakeBackend(MANY), "s", *"inventory", "enter", "shift+tab", "space", in_ascii=True)


def test_inbox(picture: Picture) -> None:
    assert picture(FakeBackend(MANY, inbox=INBOX), "n", in_ascii=True)


def test_inbox_empty(picture: Picture) -> None:
    assert picture(FakeBackend(MANY), "n")


def test_tenants(picture: Picture) -> None:
    assert picture(FakeBackend(MANY), "t", in_ascii=True)


def test_help(picture: Picture) -> None:
    assert picture(FakeBackend(MANY), "question_mark", in_ascii=True)


def test_question_before_a_retry(picture: Picture) -> None:
    assert picture(FakeBackend(MANY), "j", "j", "r", in_ascii=True)


def test_question_with_a_long_name(picture: Picture) -> None:
    assert picture(FakeBackend((hostile_run(), a_run(998))), "r", sizes=((80, 24),))


def test_toast_of_a_key_that_cannot_be_done(picture: Picture) -> None:
    assert picture(FakeBackend(MANY), "r")


def test_run_without_colour(picture: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert picture(FakeBackend(MANY, events=EVENTS), "j", "j", "j", "j", "enter")
