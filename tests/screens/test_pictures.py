"""A picture of every screen at 80x24 and 140x40, in every state that a person can meet. Look at them when they change."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from screens.monitor import Monitor
from screens.paging import cursor_of
from screens.poller import Freshness
from store.records import Counts, Event, Outcome, Status
from tests.screens.conftest import HOSTILE, Stage, a_run, ago, hostile_run, runs_of_all_states, told, until

SIZES = [(80, 24), (140, 40)]
Keys = tuple[str, ...]

MANY = (*runs_of_all_states(), *(a_run(id_) for id_ in range(989, 900, -1)))
INBOX = (
    told(4, 993),
    told(3, 993, "queued", read_at=ago(5)),
    told(2, 991, title="Sync inventory failed", body=HOSTILE),
)
EVENTS = (
    Event(1, ago(590), "info", "12 compliance policies"),
    Event(2, ago(580), "warning", "throttled by Graph: waiting 7 s"),
)


async def _see(pilot: Any, monitor: Monitor, keys: Keys, settled: Callable[[], Any]) -> None:
    await until(pilot, settled, "the first snapshot")
    for key in keys:
        await pilot.press(key)
        await pilot.pause(0.06)
    await until(pilot, lambda: not monitor.animator.is_being_animated(monitor.screen, "scroll_y"))
    await pilot.pause(0.15)


PARAMETERS = [(size, ascii_only) for ascii_only in (False, True) for size in SIZES]


@pytest.fixture(params=PARAMETERS, ids=lambda p: f"{p[0][0]}x{p[0][1]}{'-ascii' if p[1] else ''}")
def picture(request: pytest.FixtureRequest, snap_compare: Callable[..., bool]) -> Callable[..., bool]:
    """Compares the screens over a stage, after some keys, with the picture that is kept."""

    def compare(stage: Stage, *keys: str, live: bool = True, size: tuple[int, int] | None = None) -> bool:
        given, ascii_only = request.param
        monitor = Monitor(stage.backend(), ascii_only=ascii_only)

        async def before(pilot: Any) -> None:
            words = ("live",) if live else ("stale", "loading", "paused")
            await _see(pilot, monitor, keys, lambda: monitor._shown_freshness.startswith(words))

        run_before: Callable[[Any], Awaitable[None]] = before
        return snap_compare(monitor, terminal_size=size or given, run_before=run_before)

    return compare


def test_list_of_all_states(picture: Callable[..., bool]) -> None:
    assert picture(Stage(MANY, inbox=INBOX))


def test_list_with_marks_and_cursor_on_a_run_that_cannot_be_retried(picture: Callable[..., bool]) -> None:
    assert picture(Stage(MANY), "j", "j", "space", "space", "k", "k", "k")


def test_list_of_one(picture: Callable[..., bool]) -> None:
    assert picture(Stage((a_run(990),)))


def test_list_empty(picture: Callable[..., bool]) -> None:
    assert picture(Stage())


def test_list_empty_on_a_tab(picture: Callable[..., bool]) -> None:
    assert picture(Stage((a_run(990),)), "5")


def test_list_hostile(picture: Callable[..., bool]) -> None:
    assert picture(Stage((hostile_run(), a_run(998)), inbox=INBOX))


def test_list_without_colour(picture: Callable[..., bool], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert picture(Stage(MANY))


def test_list_on_a_small_terminal(picture: Callable[..., bool]) -> None:
    assert picture(Stage(MANY), size=(60, 20))


def test_list_stale(picture: Callable[..., bool], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Freshness, "age", 12.0)
    assert picture(Stage(MANY), live=False)


def test_list_of_a_database_that_cannot_be_read(picture: Callable[..., bool], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Freshness, "age", 12.0)
    assert picture(Stage(MANY, away="connection refused"), live=False)


def test_list_that_looked_back_only_so_far(picture: Callable[..., bool]) -> None:
    assert picture(Stage(MANY, reached=cursor_of(MANY[40])))


def test_list_further_down(picture: Callable[..., bool]) -> None:
    long = tuple(a_run(id_) for id_ in range(900, 100, -1))
    assert picture(Stage(long), "G", "ctrl+u", "k")


def test_run_loading_and_stale(picture: Callable[..., bool], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Freshness, "age", 12.0)
    assert picture(Stage(MANY), "enter", live=False)


def test_inbox_stale(picture: Callable[..., bool], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Freshness, "age", 12.0)
    assert picture(Stage(MANY, inbox=INBOX), "n", live=False)


def test_list_loading(picture: Callable[..., bool]) -> None:
    stage = Stage(MANY, hangs=threading.Event())
    assert picture(stage, live=False)
    assert stage.hangs
    stage.hangs.set()


def test_list_paused(picture: Callable[..., bool]) -> None:
    assert picture(Stage(MANY), "p")


def test_filter_line(picture: Callable[..., bool]) -> None:
    assert picture(Stage(MANY), "slash", *"status:nothing", "enter")


def test_run_that_partially_succeeded(picture: Callable[..., bool]) -> None:
    assert picture(Stage(MANY, events=EVENTS), "j", "j", "j", "enter")


def test_run_that_runs(picture: Callable[..., bool]) -> None:
    assert picture(Stage(MANY, events=EVENTS), "j", "enter")


def test_run_that_waits_without_a_worker(picture: Callable[..., bool]) -> None:
    assert picture(Stage(MANY, workers=()), "enter")


def test_run_that_was_retried(picture: Callable[..., bool]) -> None:
    assert picture(Stage(MANY), "j", "j", "j", "j", "enter", "end")


def test_run_hostile(picture: Callable[..., bool]) -> None:
    stage = Stage((hostile_run(),), events=(Event(1, ago(60), "error", HOSTILE),))
    assert picture(stage, "enter")


def test_run_of_an_operation_that_does_not_know_its_total(picture: Callable[..., bool]) -> None:
    run = a_run(990, Outcome.PENDING, Status.RUNNING, summary_counts=Counts(98, 98))
    assert picture(Stage((run,)), "enter")


def test_start(picture: Callable[..., bool]) -> None:
    assert picture(Stage(MANY), "s")


def test_form_of_the_probe(picture: Callable[..., bool]) -> None:
    assert picture(Stage(MANY), "s", *"probe", "enter")


def test_form_that_is_filled_in_wrongly(picture: Callable[..., bool]) -> None:
    assert picture(Stage(MANY), "s", *"probe", "enter", "tab", "tab", "x")


def test_form_with_choices(picture: Callable[..., bool]) -> None:
    assert picture(Stage(MANY), "s", *"inventory", "enter", "shift+tab", "space")


def test_inbox(picture: Callable[..., bool]) -> None:
    assert picture(Stage(MANY, inbox=INBOX), "n")


def test_inbox_empty(picture: Callable[..., bool]) -> None:
    assert picture(Stage(MANY), "n")


def test_tenants(picture: Callable[..., bool]) -> None:
    assert picture(Stage(MANY), "t")


def test_help(picture: Callable[..., bool]) -> None:
    assert picture(Stage(MANY), "question_mark")


def test_toast_of_a_key_that_cannot_be_done(picture: Callable[..., bool]) -> None:
    assert picture(Stage(MANY), "r")


def test_run_without_colour(picture: Callable[..., bool], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert picture(Stage(MANY, events=EVENTS), "j", "j", "j", "j", "enter")
