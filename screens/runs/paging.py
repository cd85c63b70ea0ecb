"""Which window of the list to read next. Pure functions.

A window is a bounded number of runs around a place. The next one is requested before the cursor reaches an edge, so
that the rows are there when a key moves on.
"""

from __future__ import annotations

from typing import Final

from store.model.records import Run
from store.search.keyset import Cursor
from store.search.pages import Page

#: Screenfuls of runs to read: at the top, where the list is polled all night, and around a place further down.
AT_TOP: Final = 2
AROUND: Final = 6
#: Minimum and, to limit memory, maximum number of runs in a window.
LEAST: Final = 50
MOST: Final = 500


def window(place: Cursor | None, height: int) -> int:
    """How many runs to read, for a screen of `height` lines."""
    wanted = height * AT_TOP + 10 if place is None else height * AROUND
    return max(LEAST, min(MOST, wanted))


def cursor_of(run: Run) -> Cursor:
    """The run's place in the list's default order."""
    return Cursor(run.created_at, run.id)


def next_place(place: Cursor | None, page: Page, line: int, height: int) -> Cursor | None:
    """The place to read around, with the cursor on `line` of the page; None is the top of the list."""
    runs = page.runs
    if not runs:
        return place
    if place is not None and not page.has_newer and line < height:
        return None
    margin = height if place is None else 2 * height
    if page.has_older and line >= len(runs) - margin:
        return page.scanned_to or cursor_of(runs[line])
    if page.has_newer and line < margin:
        return cursor_of(runs[line])
    return place


def beyond(place: Cursor | None, page: Page) -> Cursor | None:
    """The place to read around when a key moves below the last row."""
    return page.scanned_to if page.has_older and page.scanned_to else place
