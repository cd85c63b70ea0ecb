"""A scrolling view of lines that may change while someone reads them. Only changed lines are painted.

Lines have keys: the line at the top of the view stays there while lines are added or removed above it. A line may have
a target, something to open or fold; the cursor moves from target to target.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from screens.text.format import several
from screens.widgets.line_scroll import LineScroll
from screens.widgets.row_diff import Cell

#: A run's id, or the path of something that can be folded.
Target = int | tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A line with a unique `key`. The text of its `cells` is cleaned and fits the width; enter opens its `target`, if any."""

    key: Hashable
    cells: tuple[Cell, ...]
    target: Target | None = None

    @property
    def text(self) -> str:
        """The line's text without styles."""
        return "".join(cell.text for cell in self.cells)


def cut(found: list[Line], most: int) -> list[Line]:
    """At most so many lines; the last one says how many are left out, and that z shows them."""
    if len(found) <= most:
        return found
    kept = found[: max(0, most - 1)]
    rest = f"and {several(len(found) - len(kept), 'line')} more: z shows them"
    return [*kept, Line("cut", (Cell(rest, "quiet"),))]


class LineView(LineScroll):
    """Shows lines from the first column on; the screen adds the padding."""

    DEFAULT_CSS = """
    LineView { height: 1fr; scrollbar-size-vertical: 1; overflow-x: hidden; overflow-y: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "next(1)", "Next thing to open", show=False, id="next"),
        Binding("shift+tab", "next(-1)", "Previous thing to open", show=False, id="previous"),
        Binding("enter,space", "enter", "Open, fold, unfold", show=False, id="open"),
    ]

    class Activated(Message):
        """The user chose the target under the cursor."""

        def __init__(self, target: Target) -> None:
            self.target = target
            super().__init__()

    class Scrolled(Message):
        """The view was scrolled: other lines are visible now."""

    def __init__(self, id: str | None = None) -> None:  # noqa: A002 (Textual's name for it)
        super().__init__(id=id)
        self._lines: tuple[Line, ...] = ()
        self.cursor: Target | None = None

    @property
    def lines(self) -> tuple[Line, ...]:
        """All lines, visible or not."""
        return self._lines

    @property
    def text(self) -> str:
        """The text of all lines."""
        return "\n".join(line.text for line in self._lines)

    # -- what is shown ----------------------------------------------------------------------------------------------------

    def show(self, lines: Sequence[Line], *, follow: Hashable = None) -> None:
        """Show these lines at the same scroll position; scroll down to the line with the key `follow`, if it is given."""
        old, old_top = self._lines, round(self.scroll_y)
        self._lines = tuple(lines)
        if len(old) != len(self._lines):
            self._measure()
        top = anchored(old, self._lines, old_top)
        if follow is not None:
            top = max(top, self._top_that_shows(follow))
        top = max(0, min(top, len(self._lines) - self._height))
        if top != old_top:
            self.scroll_to(y=top, animate=False, force=True, immediate=True)
        if round(self.scroll_y) - old_top:
            self.refresh()
            return
        for line in range(old_top, min(old_top + self.size.height, max(len(old), len(self._lines)))):
            if old[line : line + 1] != self._lines[line : line + 1]:
                self.refresh_lines(line - old_top)

    def _measure(self) -> None:
        self.virtual_size = Size(self.scrollable_content_region.width, len(self._lines))

    def _top_that_shows(self, key: Hashable) -> int:
        place = self._place_of(key)
        return 0 if place is None else place - self._height + 1

    def _place_of(self, key: Hashable) -> int | None:
        return next((place for place, line in enumerate(self._lines) if line.key == key), None)

    @property
    def _height(self) -> int:
        return max(1, self.size.height)

    def shows(self, key: Hashable) -> bool:
        """Whether the line with this key is in view."""
        place = self._place_of(key)
        return place is not None and 0 <= place - round(self.scroll_y) < self._height

    def scroll_to_key(self, key: Hashable) -> None:
        """Scroll until the line with this key is the last one in view."""
        self.scroll_to(y=max(0, self._top_that_shows(key)), animate=False, force=True, immediate=True)

    def reveal(self, key: Hashable) -> None:
        """Scroll, unless it is in view already, until the line with this key is in the middle."""
        place = self._place_of(key)
        if place is not None and not self.shows(key):
            self.scroll_to(y=max(0, place - self._height // 2), animate=False, force=True, immediate=True)

    def render_line(self, y: int) -> Strip:
        place = round(self.scroll_y) + y
        if place >= len(self._lines):
            return self.blank_line()
        line = self._lines[place]
        here = self.under_cursor if line.target is not None and line.target == self.cursor else Style()
        return self.line_of(self.ink(line.cells, here))

    def on_resize(self) -> None:
        self._measure()
        self.refresh()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self.post_message(self.Scrolled())

    # -- keys -------------------------------------------------------------------------------------------------------------

    def action_move(self, by: int) -> None:
        self.scroll_relative(y=by, animate=False, force=True, immediate=True)

    def action_page(self, by: int) -> None:
        self.action_move(by * max(1, self._height - 2))

    def action_jump(self, to_end: int) -> None:
        self.scroll_to(y=self.max_scroll_y if to_end else 0, animate=False, force=True, immediate=True)

    def action_next(self, by: int) -> None:
        """Move the cursor to the next target (`by` 1) or the previous one (-1); without a cursor, to the first one in
        view.
        """
        places = [place for place, line in enumerate(self._lines) if line.target is not None]
        if not places:
            return
        here = next((place for place in places if self._lines[place].target == self.cursor), None)
        if here is None:
            top = round(self.scroll_y)
            ahead = [place for place in places if place >= top] if by > 0 else [p for p in places[::-1] if p < top]
            there = (ahead or places)[0]
        else:
            there = places[(places.index(here) + by) % len(places)]
        self._point(there)

    def _point(self, place: int) -> None:
        self.cursor = self._lines[place].target
        top = round(self.scroll_y)
        if not top <= place < top + self._height:
            self.scroll_to(y=max(0, place - self._height // 2), animate=False, force=True, immediate=True)
        self.refresh()

    def action_enter(self) -> None:
        if self.cursor is not None and any(line.target == self.cursor for line in self._lines):
            self.post_message(self.Activated(self.cursor))
        else:
            self.action_next(1)

    def on_click(self, event: events.Click) -> None:
        place = round(self.scroll_y) + event.y
        if place < len(self._lines) and self._lines[place].target is not None:
            self._point(place)
            self.action_enter()


def anchored(old: Sequence[Line], new: Sequence[Line], top: int) -> int:
    """The new top line, so that what was at the top stays there: `top` is the old one. At the very top, the view stays
    there.
    """
    if top <= 0 or not old:
        return max(0, top)
    places = {line.key: place for place, line in enumerate(new)}
    for place in range(min(top, len(old) - 1), len(old)):
        if old[place].key in places:
            return max(0, places[old[place].key] - (place - top))
    return min(top, max(0, len(new) - 1))
