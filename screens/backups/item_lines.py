"""One item of a backup set as lines: how whole it is, what it refers to, to whom it is assigned, its body. Pure functions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from screens.backups import words
from screens.text import policy_words
from screens.text.json_tree import Path
from screens.text.policy_words import capitalised
from screens.text.safe import fit
from screens.text.times import AGES, TimeStyle
from screens.widgets import policy_sections as sections
from screens.widgets.line_view import Line
from store.intune.backup_page import BackupItemDetail
from store.intune.backup_records import BackupItem, ItemReference

#: Width of the column of kinds of what an item refers to, in cells.
_KINDS: Final = 18


@dataclass(frozen=True, slots=True)
class View:
    """What the lines depend on besides the item: the database's time, the terminal, what is unfolded, names of kinds."""

    now: dt.datetime
    width: int
    opened: frozenset[Path]
    label: Callable[[str], str]
    ascii_only: bool = False
    times: TimeStyle = AGES


def head(detail: BackupItemDetail, view: View) -> list[Line]:
    """All above the body."""
    item = detail.item
    gaps = [{"code": code, "detail": text} for code, text in item.gaps]
    names = {one.id: one.name for one in item.references if one.name is not None}
    return [
        *_title(detail, view),
        *sections.gaps(gaps, view, "in this item"),
        *sections.assigned_to(item.assignments, names, names, view),
        *_references(item, view),
    ]


def _title(detail: BackupItemDetail, view: View) -> Iterator[Line]:
    item, found = detail.item, detail.found
    state = policy_words.completeness(item.completeness)
    yield from sections.text("title", view, "", item.name or "(without a name)", "bold")
    yield from sections.field("head", view, "State", policy_words.with_glyph(state, view.ascii_only), state.style)
    made = f"made {view.times.ago(found.created_at, view.now)}, {words.state(found).word}"
    yield from sections.field("head", view, "Backup set", f"{found.id}, {words.name(found)}, {made}")
    yield from sections.field("head", view, "Kind", capitalised(view.label(item.kind)))
    yield from sections.field("head", view, "Platform", item.platform or "none")
    yield from sections.field("head", view, "Id", item.external_id)


def _references(item: BackupItem, view: View) -> Iterator[Line]:
    """What the policy names by an id, with the names of then: by these a restore finds it in another tenant."""
    if item.references:
        yield from sections.heading("references", "Refers to, with the names of then")
    before = ""
    for number, one in enumerate(item.references):
        kind = fit(capitalised(view.label(one.kind).replace("_", " ")), _KINDS) + " "
        yield from _reference(number, " " * len(kind) if kind == before else kind, one, view)
        before = kind


def _reference(number: int, before: str, one: ItemReference, view: View) -> Iterator[Line]:
    told = f"{one.name} ({one.id})" if one.name else f"{one.id}, of unknown name"
    yield from sections.text(("references", number), view, before, told, "" if one.name else "partial", "quiet")
