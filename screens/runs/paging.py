"""Where in the list one is: which window of it to ask for next. Pure functions.

A window is a bounded number of runs around a place. A new one is asked for before the cursor comes to an edge, so that a key
finds the rows there already.
"""

from __future__ import annotations

from typing import Final

from store.model.records import Run
from store.search.keyset import Cursor
from store.search.pages import Page

#: Screens of runs that are asked for at the top, where the list is polled all night, and around a place further down.
AT_TOP: Final = 2
AROUND: Final = 6
#: Runs in a window at least and, for the sake of memory, at most.
LEAST: Final = 50
MOST: Final = 500


def window(place: Cursor | None, height: int) -> int:
    """How many runs to ask for, with so many lines on the screen."""
    wanted = height * AT_TOP + 10 if place is None else height * AROUND
    return max(LEAST, min(MOST, wanted))


def cursor_of(run: Run) -> Cursor:
    return Cursor(run.created_at, run.id)


def next_place(place: Cursor | None, page: Page, line: int, height: int) -> Cursor | None:
    """The place to ask for when the cursor is on that line of the page; None is the top of the list."""
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
    """The place to ask for when a key wants to go below the last row."""
    return page.scanned_to if page.has_older and page.scanned_to else place
