"""Whatever happens to the list between the paint and the key press, an action hits the run that was painted, or nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from screens.monitor import Monitor
from screens.poller import Arrived
from screens.run import RunScreen
from screens.runs import RunsScreen
from screens.widgets.table import RowTable
from store.records import Outcome, Run, Status
from store.snapshot import Request
from tests.screens.conftest import Stage, a_run, until

STATES = ((Outcome.SUCCEEDED, Status.COMPLETED), (Outcome.FAILED, Status.COMPLETED), (Outcome.PENDING, Status.RUNNING))
LISTS = st.lists(st.integers(1, 30), min_size=0, max_size=14, unique=True).flatmap(
    lambda ids: st.tuples(
        *(st.builds(lambda state, id_=id_: a_run(id_, *state), st.sampled_from(STATES)) for id_ in ids)
    )
)
STEPS = st.lists(
    st.one_of(LISTS, st.sampled_from(["j", "k", "g", "G", "r", "y", "space", "paint"])), min_size=4, max_size=24
)


class Watched(Monitor):
    """Notes what would have been retried, instead of asking a dispatcher."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.backend())
        self.retried: list[Run] = []
        self.copied: list[str] = []

    def retry(self, run: Run) -> None:
        if self.why_no_retry(run) is None:
            self.retried.append(run)

    def copy_to_clipboard(self, text: str) -> None:
        self.copied.append(text)


async def play(steps: list[Any]) -> None:
    stage = Stage((a_run(15), a_run(14), a_run(13)))
    monitor = Watched(stage)
    generation = 1_000_000
    async with monitor.run_test(size=(80, 14)) as pilot:
        await until(pilot, lambda: monitor.snapshot, "the first snapshot")
        monitor._poller.stop()
        table = monitor.screen.query_one(RowTable)
        for step in steps:
            if isinstance(step, tuple):
                # Applied and not yet painted: what a person sees is still the list before.
                generation += 1
                stage.runs = step
                snapshot = stage.fetch(replace(monitor._poller.request, tab="All"), generation)
                monitor._polled(Monitor.Polled(Arrived(generation, snapshot)))
            elif step == "paint":
                await pilot.pause(0.01)
            else:
                await press(monitor, table, step)


async def press(monitor: Watched, table: RowTable, key: str) -> None:
    """Press a key at once, with no paint between the last snapshot and it, and check what it hit."""
    screen = monitor.screen
    assert isinstance(screen, RunsScreen)
    painted, marked = table.painted_key, screen._marked
    before = len(monitor.retried), len(monitor.copied)
    if key == "r":
        if screen.check_action("retry", ()):
            screen.action_retry()
        hit = {run.id for run in monitor.retried[before[0] :]}
        assert hit <= (marked or {painted})
        assert all(run.status is Status.COMPLETED for run in monitor.retried[before[0] :])
    elif key == "y":
        screen.action_copy()
        assert monitor.copied[before[1] :] in ([], [str(painted)])
    elif key == "space":
        screen.action_mark()
        assert marked ^ screen._marked <= {painted}
    else:
        expected = moved(table, key)
        {"j": lambda: table.action_move(1), "k": lambda: table.action_move(-1), "g": lambda: table.action_jump(0)}.get(
            key, lambda: table.action_jump(1)
        )()
        assert table.painted_key == expected, "the next key is meant for the row that this one goes to"


def moved(table: RowTable, key: str) -> int | None:
    """Where a person who sees the glass, and knows what they typed since, believes the cursor to be after this key."""
    keys = [row.key for row in table._glass]
    if not keys:
        return None
    here = keys.index(table.painted_key) if table.painted_key in keys else 0
    line = {"j": here + 1, "k": here - 1, "g": 0, "G": len(keys) - 1}[key]
    return keys[max(0, min(line, len(keys) - 1))]


def test_keys_that_arrive_together_hit_the_row_that_they_went_to() -> None:
    async def scene() -> None:
        stage = Stage((a_run(15), a_run(14), a_run(13)))
        monitor = Watched(stage)
        async with monitor.run_test(size=(80, 14)) as pilot:
            table = monitor.screen.query_one(RowTable)
            await until(pilot, lambda: monitor.snapshot and table.painted_key == 15)
            monitor._poller.stop()
            table.action_move(1)
            table.action_move(1)
            monitor.screen.action_retry()  # type: ignore[attr-defined]
            assert [run.id for run in monitor.retried] == [13]

    asyncio.run(scene())


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(STEPS)
def test_an_action_hits_the_painted_run_or_nothing(steps: list[Any]) -> None:
    asyncio.run(play(steps))


def test_a_new_run_on_top_does_not_take_the_retry_that_was_meant_for_the_first_row() -> None:
    async def scene() -> None:
        stage = Stage((a_run(15), a_run(14)))
        monitor = Watched(stage)
        async with monitor.run_test(size=(80, 14)) as pilot:
            await until(pilot, lambda: monitor.snapshot and monitor.screen.query_one(RowTable).painted_key == 15)
            monitor._poller.stop()
            stage.runs = (a_run(16), *stage.runs)
            monitor._polled(Monitor.Polled(Arrived(10_000, stage.fetch(Request(1), 10_000))))
            assert monitor.screen.query_one(RowTable).cursor_key == 16, "it follows the newest"
            monitor.screen.action_retry()  # type: ignore[attr-defined]
            assert [run.id for run in monitor.retried] == [15]

    asyncio.run(scene())


def test_open_opens_the_painted_run() -> None:
    async def scene() -> None:
        stage = Stage((a_run(15), a_run(14)))
        monitor = Watched(stage)
        async with monitor.run_test(size=(80, 14)) as pilot:
            await until(pilot, lambda: monitor.snapshot and monitor.screen.query_one(RowTable).painted_key == 15)
            monitor._poller.stop()
            stage.runs = (a_run(16), *stage.runs)
            monitor._polled(Monitor.Polled(Arrived(10_000, stage.fetch(Request(1), 10_000))))
            monitor.screen.query_one(RowTable).action_open()
            await until(pilot, lambda: isinstance(monitor.screen, RunScreen), "the run")
            assert monitor.screen.run_id == 15  # type: ignore[attr-defined]

    asyncio.run(scene())
