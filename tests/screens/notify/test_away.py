"""Somebody comes back to their terminal, or opens another one: what they have missed is told once."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screens.monitor import Monitor
from screens.notify import away
from screens.notify.away import AWAY_AFTER, Presence
from store.model.records import OUTCOME_LABELS, Outcome, Tenant
from store.people import access, preferences
from store.snapshot import RECENT
from tests.screens.conftest import AT, FakeBackend, LiveHarness, a_run, ago, running, toasts, told, until
from tests.support import people

ENDS = (Outcome.SUCCEEDED, Outcome.FAILED, Outcome.PARTIALLY_SUCCEEDED)


def missed(monitor: Monitor) -> list[str]:
    return [toast for toast in toasts(monitor) if toast.startswith("While you were away")]


@given(
    st.lists(st.tuples(st.integers(0, 7000), st.sampled_from(ENDS), st.booleans()), max_size=RECENT),
    st.integers(0, 7000),
)
def test_what_ended_since_then_is_counted(notes: list[tuple[int, Outcome, bool]], since: int) -> None:
    inbox = [
        told(n, n, "queued" if queued else "completed", outcome=outcome, created_at=ago(seconds))
        for n, (seconds, outcome, queued) in enumerate(sorted(notes), 1)
    ]
    expected = [outcome for seconds, outcome, queued in notes if seconds < since and not queued]
    toast = away.summary(inbox, ago(since), AT)
    assert (toast is None) == (not expected)
    if toast:
        assert f"{len(expected)} of your runs ended" in toast.text
        for outcome in ENDS:
            number = expected.count(outcome)
            assert (f"{number} {OUTCOME_LABELS[outcome].lower()}" in re.split(": |, |[.]\n", toast.text)) == (
                number > 0
            )
        assert (toast.severity == "warning") == (set(expected) != {Outcome.SUCCEEDED})


def test_more_than_are_known_is_said_to_be_at_least() -> None:
    inbox = [told(n, n, created_at=ago(n)) for n in range(1, RECENT + 1)]
    toast = away.summary(inbox, ago(3600), AT)
    assert toast
    assert f"at least {RECENT} of your runs" in toast.text


def test_away_is_who_has_not_pressed_a_key_for_long() -> None:
    now = [0.0]
    presence = Presence(lambda: now[0])
    assert presence.is_back(AT) is None
    now[0] += AWAY_AFTER - 1
    assert presence.is_back(AT + dt.timedelta(minutes=4)) is None
    now[0] += AWAY_AFTER
    assert presence.is_back(AT + dt.timedelta(minutes=9)) == AT + dt.timedelta(minutes=4)
    assert presence.is_back(AT + dt.timedelta(minutes=9)) is None


@pytest.mark.anyio
async def test_a_new_session_tells_what_ended_since_the_last_key_of_the_one_before() -> None:
    stage = FakeBackend((a_run(990),), inbox=(told(2, 990), told(1, 990, created_at=ago(5000))), seen=ago(700))
    monitor = Monitor(stage.backend())
    async with running(monitor, (80, 24)) as pilot:
        await until(pilot, lambda: missed(monitor), "what was missed")
        assert "1 of your runs ended: 1 succeeded" in missed(monitor)[0]
        await pilot.press("j")
        await until(pilot, lambda: stage.seen == AT, "the key is noted")
        await pilot.press("j")
        assert len(missed(monitor)) == 1


@pytest.mark.anyio
async def test_the_first_key_after_long_tells_and_still_does_what_it_does() -> None:
    stage = FakeBackend((a_run(990), a_run(989)))
    monitor = Monitor(stage.backend())
    async with running(monitor, (80, 24)) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        await pilot.press("j")
        monitor._teller.presence._last_key -= AWAY_AFTER + 1
        monitor._teller.presence.seen_at = ago(900)
        stage.inbox = (told(2, 990, title="Sync inventory failed", outcome=Outcome.FAILED),)
        await until(pilot, lambda: monitor.snapshot and monitor.snapshot.recent_notifications)
        assert missed(monitor) == []
        await pilot.press("k")
        await until(pilot, lambda: missed(monitor))
        assert "1 failed" in missed(monitor)[0]
        assert monitor.screen.query_one("RowTable").cursor_key == 990  # type: ignore[attr-defined]


@pytest.mark.anyio
async def test_when_one_was_there_is_kept_by_the_databases_clock(house: LiveHarness) -> None:
    people.open_run(house.db, a_tenant(house), house.users["ann"])
    monitor = Monitor(house.backend("ann"))
    async with running(monitor, (80, 24)) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        await pilot.press("j")
        seen = await until(pilot, lambda: preferences.seen_at(house.db, house.users["ann"].id), "the note")
        assert monitor.snapshot
        assert abs((seen - monitor.snapshot.at).total_seconds()) < 30
        assert preferences.seen_at(house.db, house.users["ron"].id) is None


def a_tenant(house: LiveHarness) -> Tenant:
    return access.memberships_of(house.db, house.users["ann"].id)[0].tenant
