"""What a hand types or clicks without thinking does what it expects."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from textual.command import CommandPalette

from screens.base import PolledModal
from screens.dialogs.acknowledge import AcknowledgeModal
from screens.dialogs.confirm import ConfirmModal
from screens.dialogs.help import HelpModal
from screens.inbox.screen import InboxScreen
from screens.monitor import Monitor
from screens.run.screen import RunScreen
from screens.runs import columns
from screens.runs.saved_views_modal import SavedViewsModal
from screens.runs.screen import RunsScreen
from screens.start.form import FormScreen
from screens.widgets import header_lines
from screens.widgets.header_lines import Line
from screens.widgets.line_input import LineInput
from screens.workers.screen import WorkersScreen
from store.model.records import Count, Outcome
from store.search.pages import Order
from store.search.saved_views import SavedView
from store.search.tabs import TABS
from tests.screens.conftest import FakeBackend, a_run, polls, running, screen_lines, toasts, told, until

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def staged(stage: FakeBackend | None = None, size: tuple[int, int] = (100, 30)) -> AsyncIterator[Any]:
    runs = tuple(a_run(number) for number in range(990, 980, -1))
    monitor = Monitor((stage or FakeBackend(runs, inbox=(told(1, 990), told(2, 989)))).backend())
    async with running(monitor, size) as pilot:
        await until(pilot, lambda: monitor.snapshot, "the list")
        await polls(pilot)
        yield pilot


def listed(pilot: Any) -> RunsScreen:
    screen = pilot.app.screen
    assert isinstance(screen, RunsScreen)
    return screen


def header(pilot: Any) -> str:
    text: str = pilot.app.screen.query_one("#header", Line).text
    return text


@pytest.mark.parametrize(
    ("keys", "tab"),
    [
        ("l", "Active"),
        ("h", "Failed"),
        (["right"], "Active"),
        (["left"], "Failed"),
        (["tab", "tab"], "Succeeded"),
        (["shift+tab"], "Failed"),
        ("50", "All"),
        ("llh", "Active"),
        ("51", "All"),
    ],
    ids=str,
)
async def test_keys_change_the_tab(keys: Any, tab: str) -> None:
    async with staged() as pilot:
        await pilot.press(*keys)
        assert listed(pilot).view.tab == tab


@pytest.mark.parametrize("key", ["d", "enter"])
async def test_d_and_enter_open(key: str) -> None:
    async with staged() as pilot:
        await pilot.press("j", key)
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen), "the run")
        assert pilot.app.screen.run_id == 989


@pytest.mark.parametrize("key", ["R", "ctrl+r"])
async def test_a_poll_can_be_asked_for(key: str) -> None:
    async with staged() as pilot:
        before = pilot.app.data.poller.generation
        await pilot.press(key)
        await until(pilot, lambda: pilot.app.data.generation > before, "a poll")


@pytest.mark.parametrize(
    ("key", "kind"), [("w", WorkersScreen), ("n", InboxScreen), ("enter", RunScreen), ("?", HelpModal)]
)
@pytest.mark.parametrize("closes", ["q", "escape"])
async def test_what_is_on_top_is_closed_and_only_the_list_quits(key: str, kind: type, closes: str) -> None:
    async with staged() as pilot:
        await pilot.press(key)
        await until(pilot, lambda: isinstance(pilot.app.screen, kind), "the screen")
        await pilot.press(closes)
        await until(pilot, lambda: isinstance(pilot.app.screen, RunsScreen), "the list")
        assert pilot.app.is_running
        if closes == "q":
            await pilot.press("q")
            assert pilot.app._exit


async def test_a_key_that_means_nothing_flashes() -> None:
    async with staged() as pilot:
        for key in ("j", "5", "0", "p", "p"):
            await pilot.press(key)
        assert "? for keys" not in header(pilot)
        await pilot.press("Q")
        assert "? for keys" in header(pilot)
        await until(pilot, lambda: "? for keys" not in header(pilot), "the end of the flash")
        await pilot.press("w")
        await until(pilot, lambda: isinstance(pilot.app.screen, WorkersScreen), "the workers")
        await pilot.press("ctrl+y")
        assert "? for keys" in header(pilot)


async def test_over_a_dialog_one_toast_flashes_however_many_keys_mean_nothing() -> None:
    async with staged() as pilot:
        await pilot.press("?")
        await until(pilot, lambda: isinstance(pilot.app.screen, HelpModal), "the help")
        await pilot.press("Q", "Y", "Q")
        assert [toast for toast in toasts(pilot.app) if "? for keys" in toast] == ["? for keys"]


async def test_a_letter_in_a_field_flashes_nothing() -> None:
    async with staged() as pilot:
        await pilot.press("slash", "Q")
        assert "? for keys" not in header(pilot)


@pytest.mark.parametrize(("opening", "dialog"), [("a", AcknowledgeModal), ("V", SavedViewsModal)])
async def test_esc_asks_before_it_drops_a_line_that_was_typed(opening: str, dialog: type[PolledModal[Any]]) -> None:
    async with staged(FakeBackend((a_run(990, Outcome.FAILED),), kept=[SavedView("mine", "", "All")])) as pilot:
        await pilot.press(opening)
        await until(pilot, lambda: isinstance(pilot.app.screen, dialog), "the dialog")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunsScreen), "its end: there is nothing to lose")
        await pilot.press(opening)
        await until(pilot, lambda: isinstance(pilot.app.screen, dialog), "the dialog")
        field = pilot.app.screen.query_one(LineInput)
        field.focus()
        await pilot.press(*"night", "escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmModal), "the question")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, dialog), "the dialog again")
        assert field.value == "night"
        await pilot.press("escape", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunsScreen), "its end")


# ---- clicks


async def test_a_click_on_a_tab_shows_it() -> None:
    async with staged() as pilot:
        line = listed(pilot).query_one("#tabs", Line)
        for name in TABS:
            await pilot.click("#tabs", offset=(line.text.index(name), 0))
            assert listed(pilot).view.tab == name


def test_at_every_width_a_tab_is_where_it_is_drawn() -> None:
    counts = {name: Count(number * 111) for number, name in enumerate(TABS)}
    for width in range(14, 160):
        for active in TABS:
            text = header_lines.tabs(counts, active, width).plain
            found = [header_lines.tab_at(counts, active, width, False, x) for x in range(len(text))]
            assert list(dict.fromkeys(name for name in found if name)) == list(TABS)
            assert header_lines.tab_at(counts, active, width, False, len(text)) is None
            assert all(found[text.index(active) + x] == active for x in range(len(active)))


@pytest.mark.parametrize(
    ("title", "order"),
    [("Took", Order.DURATION), ("Operation", Order.TYPE), ("State", Order.STARTED), ("Age", Order.CREATED)],
)
async def test_a_click_on_a_title_orders_by_it(title: str, order: Order) -> None:
    async with staged() as pilot:
        await pilot.press("o")
        row = next(line for line in screen_lines(pilot.app) if "Took" in line)
        await pilot.click("#runs", offset=(row.index(title), 0))
        assert listed(pilot).view.order is order


def test_a_title_that_stands_for_no_order() -> None:
    shape = columns.layout(120)
    assert columns.order_at(shape, shape.header.index("By")) is None
    assert columns.order_at(shape, 500) is None


async def test_a_click_on_the_number_of_notifications_opens_the_inbox() -> None:
    async with staged() as pilot:
        await pilot.click("#header", offset=(1, 0))
        assert isinstance(pilot.app.screen, RunsScreen)
        await pilot.click("#header", offset=(header(pilot).index("2 unread") + 1, 0))
        await until(pilot, lambda: isinstance(pilot.app.screen, InboxScreen), "the inbox")


async def test_a_click_on_a_key_in_the_footer_is_the_key() -> None:
    async with staged() as pilot:
        footer = screen_lines(pilot.app)[-1]
        await pilot.click(offset=(footer.index("Keys"), 29))
        await until(pilot, lambda: isinstance(pilot.app.screen, HelpModal), "the help")


# ---- the palette


def offered(pilot: Any) -> list[str]:
    found = pilot.app.screen.query_one("CommandList")
    return [str(found.get_option_at_index(at).hit.text) for at in range(found.option_count)]


async def asked(pilot: Any, key: str, words: str, first: str) -> None:
    await pilot.press(key)
    await until(pilot, lambda: isinstance(pilot.app.screen, CommandPalette), "the palette")
    await pilot.press(*words)
    await until(pilot, lambda: offered(pilot)[:1] == [first], first)


@pytest.mark.parametrize("key", [":", "ctrl+k", "ctrl+p"])
async def test_the_palette_opens(key: str) -> None:
    async with staged() as pilot:
        await pilot.press(key)
        await until(pilot, lambda: isinstance(pilot.app.screen, CommandPalette), "the palette")


async def test_the_palette_has_commands_tenants_views_operations_and_runs_in_this_order() -> None:
    stage = FakeBackend((a_run(990), a_run(989)), kept=[SavedView("tonight", "outcome:failed", "Failed")])
    async with staged(stage) as pilot:
        await until(pilot, lambda: pilot.app.saved_views.all, "the views")
        await pilot.press(":")
        await until(pilot, lambda: isinstance(pilot.app.screen, CommandPalette), "the palette")
        await until(pilot, lambda: len(offered(pilot)) > 3 and offered(pilot)[-1].startswith("Run 989"), "all of it")
        wanted = [
            "Start an operation",
            "Tenant contoso: Contoso Ltd",
            "View tonight: outcome:failed",
            "Run 990: Sync inventory",
        ]
        places = [next(at for at, one in enumerate(offered(pilot)) if one.startswith(words)) for words in wanted]
        assert places == sorted(places)
        assert not [one for one in offered(pilot) if "_" in one or "action" in one], "nothing of the code's"


async def test_a_run_is_opened_by_its_number() -> None:
    async with staged() as pilot:
        await asked(pilot, ":", "17", "Run 17")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen), "the run")
        assert pilot.app.screen.run_id == 17


async def test_another_screen_is_opened_by_its_name() -> None:
    async with staged() as pilot:
        await asked(pilot, ":", "workers", "Workers and queue")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, WorkersScreen), "the workers")


async def test_an_operation_is_started_by_its_name(house: Any) -> None:
    monitor = Monitor(replace(house.backend("ann")))
    async with running(monitor, (100, 30)) as pilot:
        await until(pilot, lambda: monitor.snapshot, "the list")
        await asked(pilot, ":", "probe", "Start Probe")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(monitor.screen, FormScreen), "the form")
