"""A table of keyed rows. The cursor stays on its row, and only changed lines are painted.

Textual's DataTable repaints everything for one changed cell, and keeps the cursor's index when rows move, so that the
highlighted run changes without an event (both were measured). This table paints lines, and leaves the comparison to
row_diff.py.
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
from screens.widgets.row_diff import Cell, CursorAnchor, Line, changed_lines, move, reanchor


class RowTable(LineScroll):
    """Rows under a header. `painted_key` is the row that the user believes to be under the cursor when pressing a key.

    That is the row painted there, or the row that keys since the last paint moved to: a key refers to the picture on
    the screen, whatever the rows have become meanwhile.
    """

    DEFAULT_CSS = """
    RowTable { height: 1fr; scrollbar-size-vertical: 1; overflow-x: hidden; }
    RowTable > .table--header { color: $text-muted; }
    """
    COMPONENT_CLASSES = {"table--header"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,d", "open", "Open", tooltip="Open what is under the cursor", id="open"),
    ]

    class Opened(Message):
        """The user opened a row, by enter or a click under the cursor. `key` is the row's."""

        def __init__(self, key: int) -> None:
            self.key = key
            super().__init__()

    class HeadClicked(Message):
        """The user clicked on the header, at column `x` of the rows."""

        def __init__(self, x: int) -> None:
            self.x = x
            super().__init__()

    class CursorMoved(Message):
        """The cursor moved to another row, or to none."""

    def __init__(
        self,
        id: str | None = None,  # noqa: A002 (Textual's name for it)
        beyond: Callable[[int, bool], None] = lambda by, to_end: None,
    ) -> None:
        """`beyond(by, to_end)` is called when a key moves past the rows: `by` lines further, or to an end of the list.

        It is a call and not a message, because a late message would move the cursor in another list.
        """
        super().__init__(id=id)
        self._beyond = beyond
        self._rows: tuple[Line, ...] = ()
        #: The rows as last painted.
        self._painted: tuple[Line, ...] = ()
        self._header = ""
        self._anchor = CursorAnchor()
        self._may_follow = True
        self.painted_key: int | None = None

    @property
    def rows(self) -> tuple[Line, ...]:
        """The current rows, painted or not."""
        return self._rows

    @property
    def painted_rows(self) -> tuple[Line, ...]:
        """The rows as last painted."""
        return self._painted

    @property
    def cursor_key(self) -> int | None:
        """The key of the row under the cursor; None in an empty table."""
        return self._anchor.key

    @property
    def cursor_line(self) -> int:
        """The cursor's line among the rows, from 0."""
        return self._anchor.line

    def show(
        self,
        rows: Sequence[Line],
        header: str,
        *,
        may_follow: bool = True,
        go_to: Literal["first", "last"] | None = None,
    ) -> None:
        """Show these rows. Unchanged lines are not repainted; the cursor stays on its row, or goes to the end named by
        `go_to`.

        With `may_follow` off, a cursor on the first row does not follow the newest.
        """
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
        """Schedule a repaint of the visible lines that look different."""
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
            # Rows inserted above must not move what the user is looking at.
            self.scroll_to(y=self.scroll_y + shift, animate=False, immediate=True)
        self._show_cursor()

    def _show_cursor(self) -> None:
        top, height = round(self.scroll_y), max(1, self.size.height - 1)
        if self._anchor.line < top:
            self.scroll_to(y=self._anchor.line, animate=False, immediate=True)
        elif self._anchor.line >= top + height:
            self.scroll_to(y=self._anchor.line - height + 1, animate=False, immediate=True)

    def _refresh_row(self, line: int) -> bool:
        """Schedule a repaint of the row. Returns False if it is not in view."""
        in_view = 1 <= line + 1 - round(self.scroll_y) < self.size.height
        if in_view:
            self.refresh_lines(line + 1)
        return in_view

    def render_line(self, y: int) -> Strip:
        """The header stays at the top; the rows scroll below it."""
        self._painted = self._rows
        if not self._rows:
            self.painted_key = None
        if y == 0:
            return self.line_of([Segment(f" {self._header}", self.get_component_rich_style("table--header"))])
        line = round(self.scroll_y) + y - 1
        if line >= len(self._rows):
            return self.blank_line()
        row = self._rows[line]
        gutter, highlight = Cell(" "), Style()
        if line == self._anchor.line:
            self.painted_key = row.key
            gutter, highlight = Cell("▌", "accent"), self.under_cursor
        edge, *cells = self.ink((gutter, *row.cells), highlight)
        blank = Segment(" ", highlight)
        segments = [edge, *(part for cell in cells for part in (cell, blank))]
        return Strip(segments).adjust_cell_length(self.size.width, highlight).apply_style(self.rich_style)

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
        """The cursor's line in the painted picture."""
        return next((line for line, row in enumerate(self._painted) if row.key == self.painted_key), self._anchor.line)

    def _go(self, line: int) -> None:
        """Move to the row painted at that line, wherever it is now."""
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
        if event.y == 0:
            self.post_message(self.HeadClicked(event.x - 1))
        if event.y == 0 or line >= len(self._painted):
            return
        if line == self._here() and event.chain > 1:
            self.action_open()
        else:
            self._go(line)
