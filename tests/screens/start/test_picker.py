"""The choice of the operation to start: what is started elsewhere is shown, and cannot be chosen."""

from __future__ import annotations

from typing import Any

import pytest
from textual.widgets import OptionList

from screens.monitor import Monitor
from screens.start.form import FormScreen
from screens.start.picker import OperationPicker
from tasks.operations.probe import probe
from tasks.sdk.operation import operation
from tasks.sdk.registry import Registry
from tests.screens.conftest import FakeBackend, OnlyARegistry, running, until

pytestmark = pytest.mark.anyio


@operation("a.bound", label="Bound", only_from="its restore")
def _bound(run: object) -> None:
    """Be started from elsewhere."""


class WithABound(OnlyARegistry):
    registry = Registry.of([_bound, probe])


async def test_what_is_started_from_one_place_alone_cannot_be_chosen() -> None:
    monitor = Monitor(FakeBackend().backend(WithABound))  # type: ignore[arg-type]
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot, "the first snapshot")
        await pilot.press("s")
        await until(pilot, lambda: _operations(monitor), "the operations")
        first, second = _options(monitor)
        assert (first.id, first.disabled, second.disabled) == ("a.bound", True, False)
        assert "Be started from elsewhere.  ('a.bound' is started from its restore alone)" in str(first.prompt)
        assert _list(monitor).highlighted == 1, "what cannot be chosen is passed over"
        await pilot.press(*"bound")
        await until(pilot, lambda: len(_options(monitor)) == 1, "the narrowed list")
        assert _list(monitor).highlighted is None
        await pilot.press("enter", "down", "enter")
        assert isinstance(monitor.screen, OperationPicker)
        await pilot.press(*["backspace"] * 5, *"probe", "enter")
        await until(pilot, lambda: isinstance(monitor.screen, FormScreen), "the form of the other")


def _list(monitor: Monitor) -> OptionList:
    return monitor.screen.query_one(OptionList)


def _options(monitor: Monitor) -> Any:
    return _list(monitor).options


def _operations(monitor: Monitor) -> bool:
    return isinstance(monitor.screen, OperationPicker) and bool(monitor.screen._operations)
