"""Reads what Textual writes to the terminal, and paints it onto a model of the screen.

Sequences that are not known pass through unchanged, in order. If one of them may have changed cells or moved the cursor,
all cells count as unknown from then on.
"""

from __future__ import annotations

import re
from typing import Final

from screens.terminal.cell_width import CERTAIN, Cluster, clusters
from screens.terminal.escape_sequences import ERASES, HARMLESS, TOKENS
from screens.terminal.screen_buffer import ScreenBuffer
from screens.terminal.sgr import DEFAULT, apply, blank, linked

_MOVES: Final = {"A": (-1, 0), "B": (1, 0), "C": (0, 1), "D": (0, -1)}
#: Longest sequence, in characters, that is held back until it is complete; a longer one is passed on unfinished.
_LONGEST: Final = 1 << 20


class Interpreter:
    """Lets through only output that changes the picture of a terminal of `columns` by `lines`."""

    def __init__(self, columns: int, lines: int) -> None:
        self._buffer = ScreenBuffer(columns, lines)
        self._rest = ""
        #: Position and style of the next text. While `_lost`, the position is unknown.
        self._y = self._x = 0
        self._lost = True
        self._style = self._saved = DEFAULT

    def resize(self, columns: int, lines: int) -> None:
        """The terminal was resized: nothing is known of it from now on."""
        self._lost = True
        self._buffer.resize(columns, lines)

    def restart(self) -> None:
        """Other programs have used the terminal: nothing is known of it from now on."""
        self.resize(self._buffer.columns, self._buffer.lines)

    def invalidate(self) -> None:
        """Mark all cells as unknown, so that each is sent when it is next painted."""
        self._buffer.invalidate()

    def feed(self, data: str) -> str:
        """Return what to send so that the terminal shows what `data` would have made it show."""
        data, self._rest = self._rest + data, ""
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
        self._buffer.flush(self._cursor)
        return self._buffer.take()

    @property
    def _cursor(self) -> tuple[int, int] | None:
        return None if self._lost else (self._y, self._x)

    # -- painting -----------------------------------------------------------------------------------------------------------

    def _text(self, text: str) -> None:
        certain = CERTAIN(text) is not None
        cells = [] if certain else clusters(text)
        width = len(text) if certain else sum(cell.width for cell in cells)
        if self._lost or self._x + width > self._buffer.columns or (cells and self._joins_nothing(cells[0])):
            self._pass_text(text)
        elif certain:
            style = self._style if text.strip(" ") else blank(self._style)
            self._buffer.put(self._y, self._x, list(text), style)
            self._x += width
        else:
            for cell in cells:
                self._put_cluster(cell)

    def _put_cluster(self, cluster: Cluster) -> None:
        if not cluster.certain:
            self._buffer.mark_ambiguous(self._y)
        if cluster.width:
            cells = [cluster.text] + [""] * (cluster.width - 1)
            self._buffer.put(self._y, self._x, cells, self._style)
            self._x += cluster.width
        else:
            self._buffer.join(self._y, self._x, cluster.text)

    def _joins_nothing(self, cluster: Cluster) -> bool:
        """Whether the cluster would join a character that is unknown, or not there."""
        return not cluster.width and (self._x == 0 or not self._buffer.is_known(self._y, self._x - 1))

    def _move(self, token: re.Match[str]) -> None:
        buffer, y, x = self._buffer, int(token["line"] or 1), int(token["move"] or 1)
        scrolls = token[0][0] == "\n" and (self._lost or self._y == buffer.lines - 1)
        if scrolls or y > buffer.lines or x > buffer.columns:
            self._pass(token[0])
            self._be_lost()
            return
        self._y, self._x, self._lost = max(y, 1) - 1, max(x, 1) - 1, False

    # -- what is not painting -----------------------------------------------------------------------------------------------

    def _seldom(self, kind: str, token: re.Match[str]) -> None:
        text = token[0]
        if kind == "rest" and len(text) < _LONGEST:
            self._rest = text
        elif kind == "sync" and token["sync"] == "h":
            self._buffer.begin_sync()
        elif kind == "sync":
            self._buffer.end_sync(self._cursor)
        elif kind == "link":
            self._style = linked(self._style, token["link"])
        elif HARMLESS.fullmatch(text):
            self._buffer.pass_on(text, self._cursor)
        elif not self._moved(text):
            self._pass(text)
            if not ERASES.fullmatch(text):
                self._be_lost(text)
            self._buffer.forget()

    def _moved(self, text: str) -> bool:
        """Follow a relative cursor move. Returns False if the text is none, or its target is unknown."""
        columns, lines = self._buffer.columns, self._buffer.lines
        if self._lost or self._x == columns:
            return False
        if text == "\r":
            self._x = 0
        elif text == "\n" and self._y < lines - 1:
            # Whether the cursor also goes to the first column depends on the tty's settings.
            self._pass(text)
            self._lost = True
            self._buffer.lose_cursor()
        elif text[:2] == "\x1b[" and text[-1] in _MOVES and (text[2:-1] or "1").isdigit():
            count = max(1, int(text[2:-1] or 1))
            down, right = _MOVES[text[-1]]
            self._y = min(max(self._y + down * count, 0), lines - 1)
            self._x = min(max(self._x + right * count, 0), columns - 1)
        else:
            return False
        return True

    def _pass(self, text: str) -> None:
        """Send unchanged what depends on the position and the style."""
        self._buffer.pass_on(text, self._cursor, self._style)

    def _pass_text(self, text: str) -> None:
        """Pass on text at an unknown position or across the right margin: its effect depends on the terminal."""
        self._pass(text)
        self._be_lost()

    def _be_lost(self, text: str = "") -> None:
        self._lost = True
        self._buffer.lose_cursor()
        if text[1:2] != "[":
            self._buffer.lose_style()
        if text == "\x1b7":
            self._saved = self._style
        elif text == "\x1b8":
            self._style = self._saved
        elif text in ("\x1bc", "\x1b[!p"):
            self._style = DEFAULT
            self._buffer.lose_style()
        self._buffer.forget()
