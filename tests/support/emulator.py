"""A terminal that a test can look at."""

from __future__ import annotations

from typing import Any

import pyte
from wcwidth import wcwidth

#: What is seen of a cell: its character, and its colours and attributes as far as they show there.
Seen = tuple[Any, ...]


class Emulator(pyte.Screen):
    """pyte, made to do what terminals do when half of a wide character is overwritten: the other half becomes a blank."""

    def __init__(self, columns: int, lines: int) -> None:
        super().__init__(columns, lines)
        self._stream = pyte.Stream(self)

    def draw(self, data: str) -> None:
        for char in data:
            width = wcwidth(char)
            if width > 0 and self.cursor.x < self.columns:
                self._part(self.cursor.x)
                self._part(self.cursor.x + width)
            super().draw(char)

    def _part(self, x: int) -> None:
        line = self.buffer[self.cursor.y]
        if 0 < x < self.columns and line[x].data == "":
            line[x - 1] = line[x - 1]._replace(data=" ")
            line[x] = line[x]._replace(data=" ")

    def feed(self, data: str) -> None:
        # pyte knows neither the modes that terminals are asked for nor private SGR.
        self._stream.feed(data)

    def seen(self) -> list[list[Seen]]:
        return [[_seen(self.buffer[y][x]) for x in range(self.columns)] for y in range(self.lines)]

    def text(self) -> str:
        return "\n".join(self.display)


def _seen(cell: Any) -> Seen:
    if cell.data != " " or cell.reverse or cell.underscore or cell.strikethrough:
        return tuple(cell)
    return " ", cell.bg
