"""While another list is being read, no key hits a run of the one before: it is not what was asked for."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from screens.dialogs.confirm import ConfirmModal
from screens.monitor import Monitor
from screens.runs.lines import STILL_READ
from screens.runs.screen import RunsScreen
from screens.widgets.row_table import RowTable
from store.model.records import Outcome
from tests.screens.conftest import FakeBackend, a_run, polls, running, toasts, until
from tests.screens.test_gate import at_rest, typed

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("change", ["/outcome:failed\r", "5", "o", "tj\r"])
@pytest.mark.parametrize("acts", ["r\r", "e", " r", "y", "\r"])
async def test_keys_behind_one_that_changes_the_list_do_not_act_on_the_list_before(change: str, acts: str) -> None:
    stage = FakeBackend((a_run(7, Outcome.SUCCEEDED), replace(a_run(6, Outcome.FAILED), tenant="contoso")))
    monitor = Monitor(stage.backend())
    async with running(monitor) as pilot:
        listed = monitor.screen
        table = listed.query_one(RowTable)
        await until(pilot, lambda: monitor.snapshot and table.painted_key == 7, "the runs")
        assert isinstance(listed, RunsScreen)
        stage.hangs = threading.Event()
        try:
            typed(monitor, change + acts)
            await at_rest(pilot)
            assert monitor.screen is listed
            assert not listed._marked
            assert STILL_READ in toasts(monitor)[-1]
        finally:
            stage.hangs.set()
            stage.hangs = None
        await polls(pilot, 2)
        first = 7 if change in ("o", "tj\r") else 6
        await until(pilot, lambda: table.painted_key == first, "the other list")
        typed(monitor, "r")
        await until(pilot, lambda: isinstance(monitor.screen, ConfirmModal), "the question")
        assert f"Retry run {first}," in monitor.screen.question  # type: ignore[attr-defined]
