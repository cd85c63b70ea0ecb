"""Whatever happens to the list between the paint and the key press, an action hits the run that was painted, or nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screens.actions import RunActions
from screens.monitor import Monitor
from screens.poll.poller import Arrived
from screens.run.screen import RunScreen
from screens.runs.screen import RunsScreen
from screens.runs.still import list_of
from screens.shell import Shell
from screens.widgets.row_table import RowTable
from store.model.records import Outcome, Run, Status, User
from store.search.filter import RunFilter, parse_line
from store.search.saved_views import SavedView
from store.snapshot import Request
from tasks.dispatch import Dispatcher, Receipt, Started
from tests.screens.conftest import FakeBackend, OnlyARegistry, a_run, running, until
from tests.support.properties import examples

STATES = ((Outcome.SUCCEEDED, Status.COMPLETED), (Outcome.FAILED, Status.COMPLETED), (Outcome.PENDING, Status.RUNNING))
FEW = st.lists(st.integers(1, 30), min_size=0, max_size=14, unique=True)
MANY = st.tuples(st.integers(1, 300), st.integers(60, 260), st.sets(st.integers(0, 560), max_size=8)).map(
    lambda chosen: sorted(set(range(chosen[0], chosen[0] + chosen[1])) - chosen[2])
)
LISTS = st.tuples(FEW | MANY, st.integers(0, 2)).map(
    lambda chosen: tuple(a_run(id_, *STATES[(id_ // 3 + chosen[1]) % 3]) for id_ in chosen[0])
)
KEYS = {"j": "move(1)", "k": "move(-1)", "g": "jump(0)", "G": "jump(1)", "ctrl+d": "page(1)", "ctrl+u": "page(-1)"}
ACTIONS = ["r", "y", "space", "A"]
STEPS = st.lists(
    st.one_of(
        LISTS, st.sampled_from([*KEYS, *ACTIONS, "poll", "paint", "outcome:failed", "tab Failed", "tab All", "back"])
    ),
    min_size=4,
    max_size=30,
)


class NotedActions(RunActions):
    """Notes what would have been retried, instead of asking a dispatcher."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self.retried: list[Run] = []
        self.bulk: list[list[int]] = []
        self.all_of: list[tuple[RunFilter, str]] = []

    def retry(self, run: Run) -> None:
        if self.why_no_retry(run) is None:
            self.retried.append(run)

    def bulk_retry(self, run_ids: Sequence[int], words: str) -> None:
        self.bulk.append(list(run_ids))

    def retry_matching(self, wanted: RunFilter, tab: str, words: str) -> None:
        self.all_of.append((wanted, tab))


class Watched(Monitor):
    """Notes what would have been retried or copied."""

    actions: NotedActions

    def __init__(self, stage: FakeBackend) -> None:
        super().__init__(stage.backend())
        self.actions = NotedActions(self)
        self.copied: list[str] = []

    def copy_to_clipboard(self, text: str) -> bool:  # type: ignore[override]  # as Monitor's
        self.copied.append(text)
        return True


@dataclass
class Player:
    """Plays steps on one application, in a loop of its own, beginning anew for each example."""

    runner: asyncio.Runner
    stage: FakeBackend
    monitor: Watched
    pilot: Any
    generation: int = 1_000_000

    def play(self, steps: list[Any]) -> None:
        self.runner.run(self._play(steps))

    async def _play(self, steps: list[Any]) -> None:
        await self._begin()
        monitor, screen = self.monitor, self.monitor.screen
        assert isinstance(screen, RunsScreen)
        table = screen.query_one(RowTable)
        request = monitor.data.poller.request
        for step in steps:
            if isinstance(step, tuple) or step == "poll":
                # Applied and not yet painted: what a person sees is still the list before. A list that changes comes for what
                # was asked before the last keys, a poll for what is asked now.
                self.stage.runs = step if isinstance(step, tuple) else self.stage.runs
                request = monitor.data.poller.request if step == "poll" else request
                self._comes(request)
            elif step == "paint":
                await self.pilot.pause()
                if list_of(request) == list_of(monitor.data.poller.request):
                    assert not screen._is_being_read, "what is asked for is on the glass"
            else:
                await press(monitor, table, step)

    async def _begin(self) -> None:
        """The whole list from its top, nothing marked."""
        screen = self.monitor.screen
        assert isinstance(screen, RunsScreen)
        actions = self.monitor.actions
        for noted in (actions.retried, actions.bulk, actions.all_of, self.monitor.copied):
            noted.clear()
        self.stage.runs = (a_run(15), a_run(14), a_run(13))
        screen.action_back()
        screen._show(SavedView("", order=screen.view.order))
        self._comes(self.monitor.data.poller.request)
        await self.pilot.pause()
        assert screen.query_one(RowTable).painted_key == 15

    def _comes(self, request: Request) -> None:
        self.generation += 1
        arrived = Arrived(self.generation, self.stage.fetch(request))
        self.monitor._polled(Monitor.Polled(arrived))


@pytest.fixture
def player() -> Iterator[Player]:
    stage = FakeBackend((a_run(15), a_run(14), a_run(13)))
    monitor = Watched(stage)
    running_ = running(monitor, (80, 14))

    async def begin() -> Any:
        pilot = await running_.__aenter__()
        await until(pilot, lambda: monitor.snapshot, "the first snapshot")
        monitor.data.poller.stop()
        return pilot

    async def end() -> None:
        await running_.__aexit__(None, None, None)

    with asyncio.Runner() as runner:
        yield Player(runner, stage, monitor, runner.run(begin()))
        runner.run(end())


async def press(monitor: Watched, table: RowTable, key: str) -> None:
    """Press a key at once, with no paint between the last snapshot and it, and check what it hit."""
    screen = monitor.screen
    assert isinstance(screen, RunsScreen)
    painted, marked = table.painted_key, list(screen._marked)
    before = len(monitor.actions.retried), len(monitor.copied), len(monitor.actions.bulk)
    if key == "r":
        if screen.check_action("retry", ()):
            screen.action_retry()
        hit = [run.id for run in monitor.actions.retried[before[0] :]]
        assert monitor.actions.bulk[before[2] :] == ([marked] if marked else []), "just what was marked, in view or not"
        assert hit in ([], [] if marked else [painted])
        assert all(run.status is Status.COMPLETED for run in monitor.actions.retried[before[0] :])
    elif key == "y":
        screen.action_copy()
        assert monitor.copied[before[1] :] in ([], [str(painted)])
    elif key == "space":
        expected = moved(table, "j")
        screen.action_mark()
        hit_too = set(marked) ^ set(screen._marked)
        assert hit_too <= {painted}
        assert table.painted_key == (expected if hit_too else painted)
    elif key == "A":
        screen.action_retry_all()
        assert monitor.actions.all_of[-1] == (parse_line(screen.view.terms), screen.view.tab), (
            "just what the filter line and the tab say"
        )
    elif key in KEYS:
        expected = moved(table, key)
        await table.run_action(KEYS[key])
        assert table.painted_key == expected, "the next key is meant for the row that this one goes to"
    elif key == "back":
        screen.action_back()
        assert not screen._marked
    elif key.startswith("tab "):
        screen.action_tab(key[4:])
        assert list(screen._marked) == marked
    else:
        screen._show(replace(screen.view, terms=key))
        assert list(screen._marked) == marked


def moved(table: RowTable, key: str) -> int | None:
    """Where a person who sees the glass, and knows what they typed since, believes the cursor to be after this key."""
    keys = [row.key for row in table._painted]
    if not keys:
        return None
    here = keys.index(table.painted_key) if table.painted_key in keys else 0
    page = table.size.height - 2
    lines = {"j": here + 1, "k": here - 1, "g": 0, "G": len(keys) - 1, "ctrl+d": here + page, "ctrl+u": here - page}
    line = lines[key]
    return keys[max(0, min(line, len(keys) - 1))]


def test_keys_that_arrive_together_hit_the_row_that_they_went_to() -> None:
    async def scene() -> None:
        stage = FakeBackend((a_run(15), a_run(14), a_run(13)))
        monitor = Watched(stage)
        async with running(monitor, (80, 14)) as pilot:
            table = monitor.screen.query_one(RowTable)
            await until(pilot, lambda: monitor.snapshot and table.painted_key == 15)
            monitor.data.poller.stop()
            table.action_move(1)
            table.action_move(1)
            monitor.screen.action_retry()  # type: ignore[attr-defined]
            assert [run.id for run in monitor.actions.retried] == [13]

    asyncio.run(scene())


@examples(60)
@given(steps=STEPS)
def test_an_action_hits_the_painted_run_or_nothing(player: Player, steps: list[Any]) -> None:
    player.play(steps)


async def a_new_run_comes(pilot: Any, stage: FakeBackend, monitor: Monitor) -> None:
    """Run 16 comes on top of run 15, which stands painted under the cursor: applied and not yet painted."""
    await until(pilot, lambda: monitor.snapshot and monitor.screen.query_one(RowTable).painted_key == 15)
    monitor.data.poller.stop()
    stage.runs = (a_run(16), *stage.runs)
    monitor._polled(Monitor.Polled(Arrived(10_000, stage.fetch(Request(1)))))


def test_a_new_run_on_top_does_not_take_the_retry_that_was_meant_for_the_first_row() -> None:
    async def scene() -> None:
        stage = FakeBackend((a_run(15), a_run(14)))
        monitor = Watched(stage)
        async with running(monitor, (80, 14)) as pilot:
            await a_new_run_comes(pilot, stage, monitor)
            assert monitor.screen.query_one(RowTable).cursor_key == 16, "it follows the newest"
            monitor.screen.action_retry()  # type: ignore[attr-defined]
            assert [run.id for run in monitor.actions.retried] == [15]

    asyncio.run(scene())


def test_open_opens_the_painted_run() -> None:
    async def scene() -> None:
        stage = FakeBackend((a_run(15), a_run(14)))
        monitor = Watched(stage)
        async with running(monitor, (80, 14)) as pilot:
            await a_new_run_comes(pilot, stage, monitor)
            monitor.screen.query_one(RowTable).action_open()
            await until(pilot, lambda: isinstance(monitor.screen, RunScreen), "the run")
            assert monitor.screen.run_id == 15  # type: ignore[attr-defined]

    asyncio.run(scene())


class Notes(OnlyARegistry):
    """Notes what it is asked to retry, and how that was seen."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, Run | None]] = []

    def retry(self, user: User, run_id: int, seen: Run | None = None) -> Started:
        self.asked.append((run_id, seen))
        return Started(Receipt.QUEUED, a_run(99, Outcome.PENDING, Status.QUEUED))


def test_the_dispatcher_is_told_the_run_as_it_was_painted() -> None:
    async def scene() -> None:
        painted = a_run(15, Outcome.FAILED)
        stage, dispatcher = FakeBackend((painted, a_run(14))), Notes()
        monitor = Monitor(stage.backend(lambda: cast(Dispatcher, dispatcher)))
        async with running(monitor, (80, 14)) as pilot:
            await until(pilot, lambda: monitor.snapshot and monitor.screen.query_one(RowTable).painted_key == 15)
            monitor.data.poller.stop()
            stage.runs = (a_run(15, Outcome.SUCCEEDED), a_run(14))
            monitor._polled(Monitor.Polled(Arrived(10_000, stage.fetch(monitor.data.poller.request))))
            monitor.screen.action_retry()  # type: ignore[attr-defined]
            await pilot.press("enter")
            await until(pilot, lambda: dispatcher.asked, "the dispatcher to be asked")
        assert dispatcher.asked == [(15, painted)]

    asyncio.run(scene())


def test_another_list_with_the_same_rows_is_shown_from_its_top() -> None:
    """A poll that changes nothing is not painted, but the first one of a list is: else the cursor would jump later."""

    async def scene() -> None:
        monitor = Watched(FakeBackend((a_run(15), a_run(14))))
        async with running(monitor, (80, 14)) as pilot:
            table = monitor.screen.query_one(RowTable)
            await until(pilot, lambda: monitor.snapshot and table.painted_key == 15)
            await pilot.press("j", "o", "o", "o", "o")
            await until(pilot, lambda: table.painted_key == 15, "the top")

    asyncio.run(scene())
