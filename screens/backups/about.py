"""What stands above the items of a backup set: how it stands, what could not be read, what was not looked at. Pure functions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from screens.backups import words
from screens.text.policy_words import capitalised
from screens.text.safe import wrap
from screens.text.times import AGES, TimeStyle
from screens.widgets.line_view import Line
from screens.widgets.row_diff import Cell
from store.intune.backup_sets import BackupSetDetail


@dataclass(frozen=True, slots=True)
class View:
    """What the lines depend on besides the set: the database's time, the terminal, names of kinds, all kinds, and how
    instants are shown.
    """

    now: dt.datetime
    width: int
    label: Callable[[str], str]
    all_kinds: Sequence[str] = ()
    ascii_only: bool = False
    times: TimeStyle = AGES


def lines(detail: BackupSetDetail, view: View) -> list[Line]:
    """All lines, each in the width."""
    return [
        Line((number, part), (Cell(f"{text}", style),))
        for number, (told, style) in enumerate(_told(detail, view))
        for part, text in enumerate(wrap(told, view.width))
    ]


def _told(detail: BackupSetDetail, view: View) -> Iterator[tuple[str, str]]:
    found = detail.found
    state = words.state(found)
    glyph = state.ascii if view.ascii_only else state.glyph
    yield f"{glyph} {words.name(found)}", "bold"
    yield words.sentence(found), state.style
    for reason in words.unread(detail.kinds, lambda kind: capitalised(view.label(kind))):
        yield reason, "partial"
    yield words.made(found, view.now, view.times), "quiet"
    if asked := words.asked_for(found.selection):
        yield asked, "accent"
    if left_out := words.not_looked_at(detail.kinds, view.all_kinds, view.label):
        yield f"Not looked at: {left_out}.", "quiet"
