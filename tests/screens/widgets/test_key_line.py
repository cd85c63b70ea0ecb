"""The footer: as many keys as fit, `?` always; a toast stands in front of it, and of nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screens.dialogs.help import HelpModal
from screens.monitor import Monitor
from screens.notify.toasts import Toast
from screens.run.screen import RunScreen
from screens.runs.screen import RunsScreen
from screens.widgets.key_line import Shown, fitting
from screens.workers.screen import WorkersScreen
from tests.screens.conftest import FakeBackend, a_run, polls, running, screen_lines, toasts, until
from tests.support.properties import examples

HELP = Shown("?", "Keys", "question_mark", is_help=True)
KEYS = st.lists(
    st.builds(Shown, st.text("ab^", min_size=1, max_size=6), st.text("xy ", min_size=1, max_size=12), st.just("a"))
)


@examples(200)
@given(KEYS, st.integers(0, 20), st.integers(8, 160))
def test_keys_are_left_out_from_the_end_and_help_never(keys: list[Shown], place: int, width: int) -> None:
    keys.insert(min(place, len(keys)), HELP)
    kept = fitting(keys, width)
    assert kept[-1] is HELP
    others = [one for one in keys if one is not HELP]
    assert kept[:-1] == others[: len(kept) - 1]

    def cells(shown: list[Shown]) -> int:
        return sum(one.width for one in shown) + 2 * (len(shown) - 1) + 2

    assert cells(kept) <= max(width, cells([HELP]))
    if len(kept) < len(keys):
        assert cells([*others[: len(kept)], HELP]) > width, "one more would have fitted"


@pytest.mark.anyio
@pytest.mark.parametrize("width", [20, 40, 80, 140])
async def test_at_every_width_the_footer_leads_to_all_keys(width: int) -> None:
    monitor = Monitor(FakeBackend((a_run(990),)).backend())
    async with running(monitor, (width, 20)) as pilot:
        await until(pilot, lambda: "Keys" in screen_lines(monitor)[-1], "the footer")
        await polls(pilot)
        for key, screen in (("w", WorkersScreen), ("escape", RunsScreen), ("enter", RunScreen)):
            await pilot.press(key)
            await until(pilot, lambda: isinstance(monitor.screen, screen), screen.__name__)  # noqa: B023
            await until(pilot, lambda: screen_lines(monitor)[-1].endswith("? Keys"), "its footer")
        await pilot.click(offset=(screen_lines(monitor)[-1].index("Keys"), 19))
        await until(pilot, lambda: isinstance(monitor.screen, HelpModal), "the help")


@pytest.mark.anyio
@pytest.mark.parametrize("width", [40, 80, 140])
async def test_a_toast_stands_in_front_of_keys_and_of_no_row(width: int) -> None:
    monitor = Monitor(FakeBackend(tuple(a_run(number) for number in range(990, 900, -1))).backend())
    async with running(monitor, (width, 24)) as pilot:
        await until(pilot, lambda: "Keys" in screen_lines(monitor)[-1], "the footer")
        await polls(pilot)
        before = screen_lines(monitor)
        monitor.toast(
            Toast(
                "contoso: 40 of 40 done, and more words than a line has\nv: view run 990",
                "Sync inventory done",
                run_id=990,
            )
        )
        await until(pilot, lambda: screen_lines(monitor)[-1].endswith("v: view run 990"), "the toast")
        assert screen_lines(monitor)[:-1] == before[:-1]
        assert len(toasts(monitor)) == 1
