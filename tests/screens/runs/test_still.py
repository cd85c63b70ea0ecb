"""When a list of runs need not be painted anew: nothing that it shows has changed, and no second of it ticks."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from screens.runs.still import STILL, looks_the_same
from store.model.records import Outcome, Run, Status
from store.snapshot import Request, Snapshot
from tests.screens.conftest import FakeBackend, a_run


def snapshot(*runs: Run) -> Snapshot:
    return FakeBackend(runs).fetch(Request(1))


def after(snapshot: Snapshot, seconds: float) -> Snapshot:
    return replace(snapshot, at=snapshot.at + dt.timedelta(seconds=seconds))


def test_what_is_shown_stays_until_its_minutes_may_have_changed() -> None:
    painted = snapshot(a_run(2), a_run(1))
    assert looks_the_same(painted, after(painted, STILL - 1))
    assert not looks_the_same(painted, after(painted, STILL))


def test_another_run_another_list_and_news_are_shown_at_once() -> None:
    painted = snapshot(a_run(2), a_run(1))
    new = after(painted, 1)
    assert not looks_the_same(painted, replace(new, page=replace(new.page, runs=(a_run(3), *new.page.runs))))
    assert not looks_the_same(painted, replace(new, request=replace(new.request, tab="Failed")))
    assert not looks_the_same(painted, replace(new, unread=new.unread + 1))


def test_a_run_of_less_than_a_minute_ticks() -> None:
    running = a_run(1, Outcome.PENDING, Status.RUNNING)
    painted = snapshot(running)
    begun = replace(running, started_at=painted.at - dt.timedelta(seconds=30))
    for run, is_still in ((running, True), (begun, False)):
        page = replace(painted.page, runs=(run,))
        one = replace(painted, page=page)
        assert looks_the_same(one, after(one, 1)) is is_still, run.started_at
