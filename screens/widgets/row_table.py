"""A table of keyed rows: the cursor is pinned to its row, and only changed lines are painted.

Textual's DataTable repaints itself as a whole for one changed cell, and keeps the cursor's index when rows move, so that the
highlighted run changes without an event (both measured). This one draws lines, and leaves what changes to row_diff.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Literal

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from screens.widgets.line_scroll import LineScroll
from screens.widgets.row_diff import CursorAnchor, Line, changed_lines, move, reanchor


class RowTable(LineScroll):
    """Rows under a header line. `painted_key` is the row that a person takes to be under the cursor when they press a key.

    That is the one that was painted there, or the one that keys pressed since the last paint went to: they are meant for the
    picture on the glass, whatever the rows have become meanwhile.
    """

    DEFAULT_CSS = """
    RowTable { height: 1fr; scrollbar-size-vertical: 1; overflow-x: hidden; }
    RowTable > .table--header { text-style: bold; color: $text-muted; }
    RowTable > .table--cursor { text-style: reverse; }
    """
    COMPONENT_CLASSES = {"table--header", "table--cursor"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", id="open"),
    ]

    class Opened(Message):
        """Enter, or a click on the row under the cursor."""

        def __init__(self, key: int) -> None:
            self.key = key
            super().__init__()

    class CursorMoved(Message):
        """The cursor is on another row, or on none."""

    def __init__(
        self,
        id: str | None = None,  # noqa: A002 (Textual's name for it)
        beyond: Callable[[int, bool], None] = lambda by, to_end: None,
    ) -> None:
        """`beyond(by, to_end)` is called when a key wants to go where there are no rows: `by` lines further, or to an end.

        At once and not by a message: one that came late would move the cursor of another list.
        """
        super().__init__(id=id)
        self._beyond = beyond
        self._rows: tuple[Line, ...] = ()
        #: The rows as they were painted last.
        self._painted: tuple[Line, ...] = ()
        self._header = ""
        self._anchor = CursorAnchor()
        self._may_follow = True
        self.painted_key: int | None = None

    @property
    def rows(self) -> tuple[Line, ...]:
        return self._rows

    @property
    def painted_rows(self) -> tuple[Line, ...]:
        """The rows as they were painted last."""
        return self._painted

    @property
    def cursor_key(self) -> int | None:
        """The key of the row that the cursor is on; None in an empty table."""
        return self._anchor.key

    @property
    def cursor_line(self) -> int:
        """Which of the rows the cursor is on."""
        return self._anchor.line

    def show(
        self,
        rows: Sequence[Line],
        header: str,
        *,
        may_follow: bool = True,
        go_to: Literal["first", "last"] | None = None,
    ) -> None:
        """Show these rows. Lines that look the same are not painted again; the cursor stays with its row, or goes to an end."""
        old, old_pin, old_top = self._rows, self._anchor, round(self.scroll_y)
        self._may_follow = may_follow
        pin = old_pin if may_follow else CursorAnchor(old_pin.key, old_pin.line, False)
        self._rows = tuple(rows)
        self._anchor = reanchor(pin, rows, old)
        if go_to and rows:
            self._anchor = move(pin, rows, 0 if go_to == "first" else len(rows) - 1, follow=may_follow)
        self._keep_in_place(old, old_pin)
        self._set_header(header)
        self._refresh_changed(old, old_pin.line, old_top)
        self._tell(old_pin)

    def _refresh_changed(self, old: Sequence[Line], old_cursor: int, old_top: int) -> None:
        """Have painted again what looks otherwise on the glass than before."""
        top, height = round(self.scroll_y), max(0, self.size.height - 1)
        lines = {top + y for y in changed_lines(old[old_top : old_top + height], self._rows[top : top + height])}
        if self._anchor.line - top != old_cursor - old_top:
            lines |= {old_cursor - old_top + top, self._anchor.line}
        in_view = [line for line in lines if self._refresh_row(line)]
        if self._painted is old and not in_view:
            self._painted = self._rows

    def _set_header(self, header: str) -> None:
        if header != self._header:
            self._header = header
            self.refresh()

    def _keep_in_place(self, old: Sequence[Line], old_pin: CursorAnchor) -> None:
        if len(old) != len(self._rows):
            self.virtual_size = Size(self.size.width, len(self._rows) + 1)
        shift = self._anchor.line - old_pin.line
        if shift and not self._anchor.following and self._anchor.key == old_pin.key:
            # What the person looks at stays where it is on the glass while rows come in above it.
            self.scroll_to(y=self.scroll_y + shift, animate=False, immediate=True)
        self._show_cursor()

    def _show_cursor(self) -> None:
        top, height = round(self.scroll_y), max(1, self.size.height - 1)
        if self._anchor.line < top:
            self.scroll_to(y=self._anchor.line, animate=False, immediate=True)
        elif self._anchor.line >= top + height:
            self.scroll_to(y=self._anchor.line - height + 1, animate=False, immediate=True)

    def _refresh_row(self, line: int) -> bool:
        """Have the row painted again. False when it is not in view."""
        in_view = 1 <= line + 1 - round(self.scroll_y) < self.size.height
        if in_view:
            self.refresh_lines(line + 1)
        return in_view

    def render_line(self, y: int) -> Strip:
        """The header stays at the top; below it the rows scroll."""
        self._painted = self._rows
        if not self._rows:
            self.painted_key = None
        if y == 0:
            return self.line_of([Segment(self._header, self.get_component_rich_style("table--header"))])
        line = round(self.scroll_y) + y - 1
        if line >= len(self._rows):
            return self.blank_line()
        row = self._rows[line]
        highlight = Style()
        if line == self._anchor.line:
            self.painted_key = row.key
            highlight = self.get_component_rich_style("table--cursor", partial=True)
        blank = Segment(" ", highlight)
        return self.line_of(part for cell in self.ink(row.cells, highlight) for part in (cell, blank))

    def action_move(self, by: int) -> None:
        self._go(self._here() + by)

    def action_jump(self, to_end: int) -> None:
        self._go(len(self._painted) - 1 if to_end else 0)
        self._beyond(1 if to_end else -1, True)

    def action_page(self, by: int) -> None:
        self._go(self._here() + by * max(1, self.size.height - 2))

    def action_open(self) -> None:
        if self.painted_key is not None and self._rows:
            self.post_message(self.Opened(self.painted_key))

    def _here(self) -> int:
        """The cursor's line on the glass."""
        return next((line for line, row in enumerate(self._painted) if row.key == self.painted_key), self._anchor.line)

    def _go(self, line: int) -> None:
        """Go to the row that is on that line of the glass, wherever it is by now."""
        if not self._painted:
            self._beyond(1, False)
            return
        old = self._anchor
        seen = move(old, self._painted, line, follow=self._may_follow)
        self._anchor, self.painted_key = reanchor(seen, self._rows), seen.key
        self._show_cursor()
        self._refresh_row(old.line)
        self._refresh_row(self._anchor.line)
        self._tell(old)
        if beyond := min(line, 0) + max(line - len(self._painted) + 1, 0):
            self._beyond(beyond, False)

    def _tell(self, old: CursorAnchor) -> None:
        if old.key != self._anchor.key:
            self.post_message(self.CursorMoved())

    def on_resize(self) -> None:
        self.virtual_size = Size(self.size.width, len(self._rows) + 1)
        self._show_cursor()
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        line = round(self.scroll_y) + event.y - 1
        if event.y == 0 or line >= len(self._painted):
            return
        if line == self._here() and event.chain > 1:
            self.action_open()
        else:
            self._go(line)
