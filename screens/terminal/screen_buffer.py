"""A model of what the terminal shows. It passes on only output that changes the picture.

Painted text goes onto a grid of cells. At the end of a frame, the cells that differ from the terminal's are sent, with
as few cursor moves and style changes as possible. Sequences that the model does not know pass through unchanged, in
order. If one of them may have changed cells or moved the cursor, the model marks all cells as unknown; an unknown cell
is sent whenever it is painted.
"""

from __future__ import annotations

import re
from typing import Final

from screens.terminal.cell_width import CERTAIN, Cluster, clusters, is_certain
from screens.terminal.escape_sequences import ERASES, HARMLESS, TOKENS
from screens.terminal.sgr import DEFAULT, apply, blank, delta, linked

_MOVES: Final = {"A": (-1, 0), "B": (1, 0), "C": (0, 1), "D": (0, -1)}
_SYNC: Final = "\x1b[?2026"
#: From this many blanks at a line's end, erasing them is shorter than sending them.
_WORTH_ERASING: Final = 6
#: Up to this many unchanged cells between two changed ones, sending them is no longer than moving the cursor.
_WORTH_SENDING: Final = 4
#: Longest sequence, in characters, that is buffered until it is complete; a longer one is passed on unfinished.
_LONGEST: Final = 1 << 20


class ScreenBuffer:
    """The cells of a terminal of `columns` by `lines`, all unknown at first."""

    def __init__(self, columns: int, lines: int) -> None:
        self.columns, self.lines = columns, lines
        self._out: list[str] = []
        self._rest = ""
        self._sync_asked = self._sync_sent = False
        #: Position and style of the next text. While `_lost`, the position is unknown.
        self._y = self._x = 0
        self._lost = True
        self._style = self._saved = DEFAULT
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
        self._lost, self._at, self._sent = True, None, None
        self.invalidate()

    def feed(self, data: str) -> str:
        """Return what to send so that the terminal shows what `data` would have made it show."""
        data, self._rest, self._out = self._rest + data, "", []
        for token in TOKENS.finditer(data):
            kind = token.lastgroup
            if kind == "text":
                self._text(token[0])
            elif kind == "sgr":
                self._style = apply(self._style, token["sgr"])
            elif kind in ("move", "home"):
                self._move(token)
            else:
                self._seldom(kind or "control", token)
        self._flush()
        return "".join(self._out)

    # -- painting on the grid ---------------------------------------------------------------------------------------------

    def _text(self, text: str) -> None:
        certain = CERTAIN(text) is not None
        cells = [] if certain else clusters(text)
        width = len(text) if certain else sum(cell.width for cell in cells)
        if self._lost or self._x + width > self.columns or (cells and self._joins_nothing(cells[0])):
            self._pass_text(text)
        elif certain:
            style = self._style if text.strip(" ") else blank(self._style)
            self._put(list(text), style)
        else:
            for cell in cells:
                self._lay_cluster(cell)

    def _put(self, cells: list[str | None] | list[str], style: str) -> None:
        """Put cells at the cursor. The other half of an overwritten wide character becomes a blank, as in the terminal."""
        y, x = self._y, self._x
        end = x + len(cells)
        chars, styles = self._row(y)
        if chars[x] == "":
            chars[x - 1] = " "
        if end < self.columns and chars[end] == "":
            chars[end] = " "
        chars[x:end] = cells
        styles[x:end] = [style] * len(cells)
        self._x = end

    def _lay_cluster(self, cluster: Cluster) -> None:
        if not cluster.certain:
            self._ambiguous_rows.add(self._y)
        if cluster.width:
            self._put([cluster.text] + [""] * (cluster.width - 1), self._style)
            return
        chars, _ = self._row(self._y)
        x = self._x - 1
        while chars[x] == "":
            x -= 1
        chars[x] = f"{chars[x]}{cluster.text}"

    def _joins_nothing(self, cluster: Cluster) -> bool:
        """Whether the cluster would combine with a character that does not exist or is unknown."""
        return not cluster.width and (self._x == 0 or self._chars[self._y][self._x - 1] is None)

    def _row(self, y: int) -> tuple[list[str | None], list[str]]:
        """The row, for writing: its content before this frame is saved first."""
        row = self._chars[y], self._styles[y]
        if y not in self._before:
            self._before[y] = row[0][:], row[1][:]
            self._known = True
        return row

    def _move(self, token: re.Match[str]) -> None:
        y, x = int(token["line"] or 1), int(token["move"] or 1)
        scrolls = token[0][0] == "\n" and (self._lost or self._y == self.lines - 1)
        if scrolls or y > self.lines or x > self.columns:
            self._pass(token[0])
            self._be_lost()
            return
        self._y, self._x, self._lost = max(y, 1) - 1, max(x, 1) - 1, False

    # -- what is not painting -----------------------------------------------------------------------------------------------

    def _seldom(self, kind: str, token: re.Match[str]) -> None:
        text = token[0]
        if kind == "rest" and len(text) < _LONGEST:
            self._rest = text
        elif kind == "sync":
            self._sync(token["sync"])
        elif kind == "link":
            self._style = linked(self._style, token["link"])
        elif HARMLESS.fullmatch(text):
            self._flush()
            self._out.append(text)
        elif not self._moved(text):
            self._pass(text)
            if not ERASES.fullmatch(text):
                self._be_lost(text)
            self._forget_what_is_known()

    def _sync(self, which: str) -> None:
        """Begin or end a synchronised update. It is sent only around a frame that changes something."""
        if which == "h":
            self._sync_asked = True
            return
        self._flush()
        if self._sync_sent:
            self._out.append(f"{_SYNC}l")
        self._sync_asked = self._sync_sent = False

    def _moved(self, text: str) -> bool:
        """Follow a relative cursor move. Returns False if the text is none, or its target is unknown."""
        if self._lost or self._x == self.columns:
            return False
        if text == "\r":
            self._x = 0
        elif text == "\n" and self._y < self.lines - 1:
            # Whether the cursor also goes to the first column depends on the tty's settings.
            self._pass(text)
            self._lost, self._at = True, None
        elif text[:2] == "\x1b[" and text[-1] in _MOVES and (text[2:-1] or "1").isdigit():
            count = max(1, int(text[2:-1] or 1))
            down, right = _MOVES[text[-1]]
            self._y = min(max(self._y + down * count, 0), self.lines - 1)
            self._x = min(max(self._x + right * count, 0), self.columns - 1)
        else:
            return False
        return True

    def _pass(self, text: str) -> None:
        """Send unchanged what depends on the position and the style."""
        self._flush()
        self._set_style(self._style)
        self._out.append(text)

    def _pass_text(self, text: str) -> None:
        """Pass on text at an unknown position or across the right margin: its effect depends on the terminal."""
        self._pass(text)
        self._be_lost()

    def _be_lost(self, text: str = "") -> None:
        self._lost, self._at = True, None
        if text[1:2] != "[":
            self._sent = None
        if text == "\x1b7":
            self._saved = self._style
        elif text == "\x1b8":
            self._style = self._saved
        elif text in ("\x1bc", "\x1b[!p"):
            self._style, self._sent = DEFAULT, None
        self._forget_what_is_known()

    def _forget_what_is_known(self) -> None:
        if self._known:
            self.invalidate()

    # -- sending ------------------------------------------------------------------------------------------------------------

    def _flush(self) -> None:
        """Send the changed cells, and put the terminal's cursor where it belongs."""
        if self._before:
            before, self._before = self._before, {}
            start = len(self._out)
            for y in sorted(before):
                if before[y] != (self._chars[y], self._styles[y]):
                    self._send_row(y, *before[y])
            if self._sync_asked and not self._sync_sent and len(self._out) > start:
                self._out.insert(start, f"{_SYNC}h")
                self._sync_sent = True
        if self._lost:
            return
        if self._x < self.columns:
            self._move_cursor(self._y, self._x)
        elif self._at != (self._y, self._x):
            # Pending wrap: the cursor gets behind the last column only by writing the last cell.
            self._send_cells(self._y, self.columns - 1, self.columns)

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
