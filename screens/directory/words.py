"""Words for the groups of the cached directory, and for how old it is. Pure functions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len

from screens.text import format as fmt
from screens.text import group_words
from screens.text.safe import fit
from screens.text.times import AGES, TimeStyle
from store.intune.directory_page import Directory
from store.intune.group_search import DirectoryGroup
from store.model.records import Count

#: Cells of a searched text in a sentence, so that the rest stays visible.
_TEXT: Final = 30


def types(group: DirectoryGroup) -> str:
    """How it has its members, and whether it is one of Microsoft 365: `dynamic, Microsoft 365`."""
    return group_words.types(group.types)


def purpose(group: DirectoryGroup) -> str:
    """What it is for: `security`, `mail`, both, or `neither`."""
    given = {"security": group.security_enabled, "mail": group.mail_enabled}
    return ", ".join(word for word, is_given in given.items() if is_given) or "neither"


def name(group: DirectoryGroup) -> str:
    """The name as it is, with a visible mark for each blank at its ends: two names may differ by nothing else."""
    return group_words.name(group.name)


@dataclass(frozen=True, slots=True)
class View:
    """What the sentences depend on besides the directory: the database's time, the terminal, and who looks."""

    now: dt.datetime
    width: int
    #: What to press, or whom to ask, where nothing was read yet; and whether the user may start it.
    how_to_sync: str = ""
    may_sync: bool = True
    ascii_only: bool = False
    times: TimeStyle = AGES


def told(found: Directory, text: str, view: View) -> str:
    """The line above the groups: how many there are, how old that is, what was found of them. Sentences that do not fit are
    left out, never cut.
    """
    if found.read_at is None and not found.counted.many.number:
        return f"No groups yet. {view.how_to_sync}"
    line = ""
    for sentence in filter(None, _sentences(found, text, view)):
        longer = f"{line} {sentence}".strip()
        line = longer if cell_len(longer) <= view.width or not line else line
    return line


def _sentences(found: Directory, text: str, view: View) -> Iterator[str]:
    """The most important first."""
    listed = len(found.groups)
    shown = (f"the first {listed:,}" if found.has_more else f"{listed:,}") + " of "
    searched = f"'{fit(text, _TEXT).rstrip()}': {shown}" if text else ""
    yield f"{searched}{_groups(found.counted.many, view.ascii_only)}, {_read(found, view)}."
    if found.has_more and not text:
        yield f"The first {listed:,} are listed."
    if view.may_sync and not text:
        yield "s syncs groups."
    # A complete round that is as old as the last one is not told apart from it.
    ago = view.times.ago
    whole = ago(found.complete_at, view.now) if found.complete_at else ""
    if whole and found.read_at and whole != ago(found.read_at, view.now):
        yield f"Last read in full {whole}."


def _groups(many: Count, ascii_only: bool) -> str:
    return f"{fmt.count(many, ascii_only)} {'group' if many == Count(1) else 'groups'}"


def _read(found: Directory, view: View) -> str:
    return f"read {view.times.ago(found.read_at, view.now)}" if found.read_at else "the first round has not ended"
