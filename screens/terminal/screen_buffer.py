"""A model of what the terminal shows: a grid of cells, and how to send those that changed.

Painted text goes onto the grid. At the end of a frame, the cells that differ from the terminal's are sent, with as few
cursor moves and style changes as possible. A cell that is unknown is sent whenever it is painted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from screens.terminal.cell_width import is_certain
from screens.terminal.sgr import DEFAULT, blank, delta

_SYNC: Final = "\x1b[?2026"
#: From this many blanks at a line's end, erasing them is shorter than sending them.
_WORTH_ERASING: Final = 6
#: Up to this many unchanged cells between two changed ones, sending them is no longer than moving the cursor.
_WORTH_SENDING: Final = 4


class ScreenBuffer:
    """The cells of a terminal of `columns` by `lines`, all unknown at first. Rows (y) and columns (x) count from 0."""

    def __init__(self, columns: int, lines: int) -> None:
        self.columns, self.lines = columns, lines
        self._out: list[str] = []
        self._sync_asked = self._sync_sent = False
        #: The terminal's own cursor position and style; None if unknown.
        self._at: tuple[int, int] | None = None
        self._sent: str | None = None
        self.invalidate()

    def invalidate(self) -> None:
        """Mark all cells as unknown, so that each is sent when it is next painted.

        In the grid, the second half of a wide character is "".
        """
        self._chars: list[list[str | None]] = [[None] * self.columns for _ in range(self.lines)]
        self._styles: list[list[str]] = [[DEFAULT] * self.columns for _ in range(self.lines)]
        #: Rows touched in this frame, with their content before it.
        self._before: dict[int, tuple[list[str | None], list[str]]] = {}
        #: Rows with a character whose width differs between terminals.
        self._ambiguous_rows: set[int] = set()
        self._known = False

    def resize(self, columns: int, lines: int) -> None:
        """The terminal was resized: its cell contents are unknown from now on."""
        self.columns, self.lines = columns, lines
        self._at, self._sent = None, None
        self.invalidate()

    # -- painting on the grid ---------------------------------------------------------------------------------------------

    def put(self, y: int, x: int, cells: Sequence[str | None], style: str) -> None:
        """Put cells onto a row from a column on. Half of an overwritten wide character becomes a blank, as in the terminal."""
        end = x + len(cells)
        chars, styles = self._row(y)
        if chars[x] == "":
            chars[x - 1] = " "
        if end < self.columns and chars[end] == "":
            chars[end] = " "
        chars[x:end] = cells
        styles[x:end] = [style] * len(cells)

    def join(self, y: int, x: int, text: str) -> None:
        """Join text that takes no column of its own to the character before the column."""
        chars, _ = self._row(y)
        x -= 1
        while chars[x] == "":
            x -= 1
        chars[x] = f"{chars[x]}{text}"

    def is_known(self, y: int, x: int) -> bool:
        """Whether the cell's content is known."""
        return self._chars[y][x] is not None

    def mark_ambiguous(self, y: int) -> None:
        """The row has a character whose width differs between terminals."""
        self._ambiguous_rows.add(y)

    def _row(self, y: int) -> tuple[list[str | None], list[str]]:
        """The row, to be written on."""
        row = self._chars[y], self._styles[y]
        if y not in self._before:
            self._before[y] = row[0][:], row[1][:]
            self._known = True
        return row

    # -- sending ------------------------------------------------------------------------------------------------------------

    def take(self) -> str:
        """What is to be sent, which is forgotten with this."""
        out, self._out = "".join(self._out), []
        return out

    def begin_sync(self) -> None:
        """Begin a synchronised update. It is sent only if a frame changes something."""
        self._sync_asked = True

    def end_sync(self, cursor: tuple[int, int] | None) -> None:
        """End the synchronised update, and send the frame."""
        self.flush(cursor)
        if self._sync_sent:
            self._out.append(f"{_SYNC}l")
        self._sync_asked = self._sync_sent = False

    def pass_on(self, text: str, cursor: tuple[int, int] | None, style: str | None = None) -> None:
        """Send the frame, then the text unchanged; with `style`, once the terminal writes in that."""
        self.flush(cursor)
        if style is not None:
            self._set_style(style)
        self._out.append(text)

    def lose_cursor(self) -> None:
        """The terminal's cursor may be anywhere."""
        self._at = None

    def lose_style(self) -> None:
        """The terminal may write in any style."""
        self._sent = None

    def forget(self) -> None:
        """Something may have changed the cells: mark them as unknown."""
        if self._known:
            self.invalidate()

    def flush(self, cursor: tuple[int, int] | None) -> None:
        """Send what has changed, and move the terminal's cursor to (y, x); None leaves it where it is."""
        if self._before:
            before, self._before = self._before, {}
            start = len(self._out)
            for y in sorted(before):
                if before[y] != (self._chars[y], self._styles[y]):
                    self._send_row(y, *before[y])
            if self._sync_asked and not self._sync_sent and len(self._out) > start:
                self._out.insert(start, f"{_SYNC}h")
                self._sync_sent = True
        if cursor is None:
            return
        y, x = cursor
        if x < self.columns:
            self._move_cursor(y, x)
        elif self._at != cursor:
            # Behind the last column a cursor waits for what comes next: only writing the last cell brings it there.
            self._send_cells(y, self.columns - 1, self.columns)

    def _send_row(self, y: int, old_chars: list[str | None], old_styles: list[str]) -> None:
        chars, styles = self._chars[y], self._styles[y]
        if y in self._ambiguous_rows:
            self._send_whole(y)
            return
        cells = enumerate(zip(chars, old_chars, styles, old_styles, strict=True))
        changed = [x for x, (new, old, style, old_style) in cells if new != old or style != old_style]
        tail = self._tail(y)
        erased = [x for x in changed if x >= tail]
        if len(erased) >= _WORTH_ERASING:
            changed = changed[: -len(erased)]
        for start, stop in self._spans(y, changed):
            self._send_cells(y, start, stop)
        if len(erased) >= _WORTH_ERASING:
            self._move_cursor(y, erased[0])
            self._set_style(DEFAULT)
            self._out.append("\x1b[K")

    def _tail(self, y: int) -> int:
        """The column where the trailing blanks begin. Only default-styled ones count: terminals erase in different
        colours.
        """
        chars, styles, x = self._chars[y], self._styles[y], self.columns
        while x and chars[x - 1] == " " and styles[x - 1] == DEFAULT:
            x -= 1
        return x

    def _spans(self, y: int, changed: list[int]) -> list[tuple[int, int]]:
        """The changed cells as spans, joined across gaps too short to be worth a cursor move."""
        spans: list[tuple[int, int]] = []
        for x in changed:
            if spans and self._worth_sending(y, spans[-1][1], x):
                spans[-1] = (spans[-1][0], x + 1)
            else:
                spans.append((x, x + 1))
        return spans

    def _worth_sending(self, y: int, start: int, stop: int) -> bool:
        if start == stop:
            return True
        if stop - start > _WORTH_SENDING or None in self._chars[y][start:stop]:
            return False
        return len(set(self._styles[y][start - 1 : stop + 1])) == 1

    def _send_whole(self, y: int) -> None:
        """Send a row with characters of uncertain width from its beginning, on an erased line."""
        chars = self._chars[y]
        if None not in chars:
            self._move_cursor(y, 0)
            self._set_style(DEFAULT)
            self._out.append("\x1b[2K")
        known = [x for x, char in enumerate(chars) if char is not None]
        for start, stop in self._spans(y, known):
            self._send_cells(y, start, stop)
            self._at = None
        if all(is_certain(char) for char in chars if char):
            self._ambiguous_rows.discard(y)

    def _send_cells(self, y: int, start: int, stop: int) -> None:
        chars, styles, out, sent = self._chars[y], self._styles[y], self._out, self._sent
        while start and chars[start] == "":
            start -= 1
        self._move_cursor(y, start)
        for char, style in zip(chars[start:stop], styles[start:stop], strict=True):
            if char:
                if style != sent and not (char == " " and sent is not None and blank(sent) == style):
                    out.append(delta(sent, style))
                    sent = style
                out.append(char)
        while stop < self.columns and chars[stop] == "":
            stop += 1
        self._sent, self._at = sent, (y, stop)

    def _set_style(self, style: str) -> None:
        if style != self._sent:
            self._out.append(delta(self._sent, style))
            self._sent = style

    def _move_cursor(self, y: int, x: int) -> None:
        """Move the terminal's cursor from its known position with the shortest sequence."""
        if self._at == (y, x):
            return
        if self._at is None or self._at[0] != y:
            self._out.append(f"\x1b[{y + 1}{f';{x + 1}' if x else ''}H")
        elif x == 0:
            self._out.append("\r")
        elif x > self._at[1]:
            self._out.append(f"\x1b[{x - self._at[1]}C")
        else:
            self._out.append(f"\x1b[{x + 1}G")
        self._at = (y, x)
