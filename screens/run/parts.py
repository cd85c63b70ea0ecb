"""What the sections of the run's screen are made of: lines of text, headings, facts. Pure functions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from screens.text.explain import Fact
from screens.text.json_tree import Path
from screens.text.safe import wrap
from screens.widgets.line_view import Line, Target
from screens.widgets.row_diff import Cell
from store.model.records import Worker

#: Width of the column of names, in cells.
NAMES: Final = 13


@dataclass(frozen=True, slots=True)
class View:
    """What the lines depend on besides the run.

    `now` is the database's time, `workers` are those alive, `opened` the unfolded paths; `width` (in cells) and
    `ascii_only` are the terminal's.
    """

    now: dt.datetime
    workers: Sequence[Worker]
    opened: frozenset[Path]
    width: int
    ascii_only: bool = False
    #: Whether this session gives up the runs of lost workers.
    rescues: bool = True
    #: What is searched for in the log; "" for nothing. `found` is the key of the moment that the search is at.
    search: str = ""
    found: Hashable = None


def text(key: Hashable, view: View, before: str, text: str, style: str = "", before_style: str = "") -> Iterator[Line]:
    """A text after the prefix `before`, wrapped; further lines are indented to match. `before` must be clean, one cell
    per character.
    """
    for number, part in enumerate(wrap(text, view.width - len(before))):
        first = Cell(before, before_style) if not number else Cell(" " * len(before))
        yield Line((key, number), (first, Cell(part, style)))


def heading(section: str, words: str) -> Iterator[Line]:
    """A blank line, and the section's heading."""
    yield Line((section, "blank"), ())
    yield Line((section, "heading"), (Cell(words, "bold"),))


def field(section: str, view: View, fact: Fact, target: Target | None = None) -> Iterator[Line]:
    """A fact under its name; its first line opens the target."""
    first, *rest = text((section, fact.name), view, f"{fact.name:<{NAMES}}", fact.words, fact.style, "quiet")
    yield Line(first.key, first.cells, target)
    yield from rest
