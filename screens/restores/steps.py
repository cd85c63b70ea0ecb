"""The steps of a restore in one line: what is behind, what is to be done now and by which key, what comes later. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.cells import cell_len

from screens.restores import words
from screens.text import format as fmt
from screens.text.safe import fit
from screens.widgets.row_diff import Cell
from store.intune.restore_page import ListedRestore
from store.intune.restore_records import RestoreState

STEPS: Final = ("set", "scope", "checks", "preview", "confirm")
#: The states in which there is a step to be done, each with the place of that step.
_PLACES: Final = {
    RestoreState.DRAFT: 1,
    RestoreState.SCOPED: 2,
    RestoreState.CHECKED: 3,
    RestoreState.PREVIEWED: 4,
}
_DONE, _NOW, _LATER = "done", "bold", "quiet"


def line(found: ListedRestore, undecided: int, width: int, ascii_only: bool) -> tuple[Cell, ...]:
    """The steps, the present one with what it waits for; nothing once the restore is executed. At most `width` cells."""
    place = present(found)
    if place is None:
        return ()
    for waits in (_waits(found, undecided), ""):
        cells = tuple(_cells(place, waits, ascii_only))
        if sum(cell_len(cell.text) for cell in cells) <= width:
            return cells
    return (Cell(fit(f"step {place + 1} of {len(STEPS)}: {STEPS[place]}", width).rstrip(), _NOW),)


def present(found: ListedRestore) -> int | None:
    """The place of the step that is to be done now; None once the restore is executed."""
    place = _PLACES.get(found.restore.status)
    return 3 if place == 4 and found.numbers.blocked else place


def _cells(place: int, waits: str, ascii_only: bool) -> Iterator[Cell]:
    for number, name in enumerate(STEPS):
        between = "  " if number else ""
        if number < place:
            yield Cell(f"{between}{number + 1} {name} {'+' if ascii_only else '✓'}", _DONE)
        elif number == place:
            mark = ">" if ascii_only else "▸"
            yield Cell(f"{between}{mark} {number + 1} {name}{f': {waits}' if waits else ''}", _NOW)
        else:
            yield Cell(f"{between}{number + 1} {name}", _LATER)


def _waits(found: ListedRestore, undecided: int) -> str:
    """What the present step waits for, in a few words."""
    match present(found):
        case 1:
            return "e chooses"
        case 2:
            return f"{fmt.several(undecided, 'group')} not decided on" if undecided else "groups not decided on"
        case 3 if found.numbers.blocked and found.restore.status is RestoreState.PREVIEWED:
            return f"{found.numbers.blocked:,} blocked"
        case 3:
            return "a worker reads" if words.is_previewing(found) else "p makes it"
    return "E shows the impact"
