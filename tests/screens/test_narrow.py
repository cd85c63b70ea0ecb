"""Narrow terminals: what does not fit is left out, or ends in an ellipsis; the edge cuts nothing, least of all a figure."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from rich.cells import cell_len

from screens.bulk.screen import ItemRow, _header
from screens.bulk_retry import Item, Kind
from screens.monitor import Monitor
from screens.widgets.header_lines import header
from screens.widgets.row_diff import Line
from screens.widgets.row_table import RowTable
from screens.workers import lines as told_of_workers
from store.search.failure_groups import Group, Groups
from store.workers.load import InFlightRun, WorkerLoad
from store.workers.throughput import Hour, HourlyThroughput
from tests.screens.conftest import AT, HOSTILE, WORKER, FakeBackend, a_run, ago, hostile_run, running, told, until

WIDTHS = range(20, 161)
#: Every figure in the tables below has a sign of its own kind, so that the beginning of one can be told from another one.
AGES = {"6h33", "23h59", "12d"}
FIGURES = {"1234567", "4711", *AGES}


def figures(rows: Sequence[Line]) -> set[str]:
    """What stands in the rows as a whole word of digits, or a time."""
    words = {word for row in rows for cell in row.cells for word in cell.text.split()}
    return {word for word in words if re.fullmatch(r"\d+(h\d*|[smd])?", word)}


def at_every_width(holds: Callable[[int], None]) -> Callable[[], None]:
    """One test for all widths: a hundred of them each would cost more than what they look at."""

    def test() -> None:
        for width in WIDTHS:
            holds(width)

    return test


STAGE = FakeBackend(
    runs=(a_run(1_234_567, created_at=ago(6 * 3600 + 33 * 60)), replace(hostile_run(4711), created_at=ago(86_390))),
    inbox=tuple(
        told(number, 1_234_567, title="Sync inventory succeeded again", created_at=ago(seconds), body=HOSTILE)
        for number, seconds in ((1, 6 * 3600 + 33 * 60), (2, 86_390))
    ),
    groups=Groups(
        (Group("inventory.sync", "graph.forbidden", 1_234_567, ago(6 * 3600 + 33 * 60), ago(12 * 86_400), HOSTILE),)
    ),
)


def _is_laid_out(table: RowTable, width: int) -> bool:
    return table.size.width == width and bool(table.rows)


@pytest.mark.anyio
@pytest.mark.parametrize("key", ["", "n", "F"], ids=["runs", "inbox", "groups"])
async def test_in_every_table_figures_are_whole_or_not_there(key: str) -> None:
    async with running(Monitor(STAGE.backend()), (40, 20)) as pilot:
        await until(pilot, lambda: pilot.app.screen.query_one(RowTable).rows)
        if key:
            await pilot.press(key)
        for width in (20, 30, 40, 50, 60, 80, 120, 160):
            await pilot.resize_terminal(width, 20)
            table = pilot.app.screen.query_one(RowTable)
            await until(pilot, functools.partial(_is_laid_out, table, width))
            for row in table.rows:
                assert sum(cell_len(cell.text) + 1 for cell in row.cells) - 1 <= width
            assert figures(table.rows) <= FIGURES | {"36", "40", "38"}
            if width >= 40:
                assert figures(table.rows) & AGES
                assert "1234567" in figures(table.rows)


@at_every_width
def test_workers(width: int) -> None:
    worker = replace(
        WORKER, id=123_456, host=HOSTILE, pid=7_654_321, started_at=ago(6 * 3600 + 33 * 60), beat_at=ago(86_390)
    )
    row = told_of_workers.row(WorkerLoad(worker, True, (InFlightRun(4711, HOSTILE),)), AT, width, False)
    assert sum(cell_len(cell.text) + 1 for cell in row.cells) - 1 <= width
    assert cell_len(told_of_workers.header(width).rstrip()) <= width
    # The last cell is a text: an id and a title, cut with an ellipsis.
    texts = [row.cells[-1]] if "Runs" in told_of_workers.header(width) else []
    values = replace(row, cells=tuple(cell for cell in row.cells if cell not in texts))
    slots = {"1", "4"} if any(cell.text.strip() == "■□□□ 1 of 4" for cell in row.cells) else set[str]()
    assert figures((values,)) <= {"123456", "7654321", "6h33", "23h59"} | slots


@at_every_width
def test_receipts(width: int) -> None:
    row = ItemRow(Item(12_345_678, Kind.UNKNOWN, a_run(1, label=HOSTILE), HOSTILE), width, False)
    assert sum(cell_len(cell.text) + 1 for cell in row.cells) - 1 <= width
    assert cell_len(_header(width).rstrip()) <= width
    assert figures((row,)) <= {"12345678"}
    assert width < 40 or figures((row,)) == {"12345678"}


@at_every_width
def test_the_hours_of_a_busy_day(width: int) -> None:
    each = tuple(Hour(AT, 1_234_567, 123_456, 6 * 3600 + 33 * 60, 86_390) for _ in range(12))
    table = told_of_workers.hours_table(HourlyThroughput(AT, (1, 2), each, None), width).plain
    found = {word for line in table.splitlines() for word in line[11:].split()}
    assert found == {f"{AT:%H}", "1234567", "123456", "6h33", "23h59"}
    assert max(map(len, table.splitlines())) <= max(width, 19)


@at_every_width
def test_the_number_of_notifications_stands_apart_and_whole_in_the_header_or_not_at_all(width: int) -> None:
    text = header("all tenants", "ann", "sqlite opsmon.db", "live", 12, width).plain
    assert cell_len(text) == width
    assert "12 unread" in text or "12" not in text
    assert "tenants12" not in text
    assert width < 42 or "12 unread" in text
    assert "? for" in header("all tenants", "ann", "sqlite opsmon.db", "live", 12, max(40, width), "? for keys").plain
