"""One item of a restore as lines: what is done, why it is blocked, its assignments, and what differs. Pure functions.

The plan was made by a worker of this version or of another one: what is not as expected is left out or shown as it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from screens.restores import words
from screens.text import changes
from screens.text.format import State
from screens.text.json_tree import Path
from screens.text.policy_words import capitalised, with_glyph
from screens.text.safe import clean
from screens.widgets import policy_sections as sections
from screens.widgets.line_view import Line
from screens.widgets.row_diff import Cell
from store.intune.restore_page import RestoreItemDetail
from store.intune.restore_records import RestoreItem

#: By the state of an assignment in the plan.
_ASSIGNED: Final = {
    "kept": State("✓", "+", "kept", "done"),
    "skipped": State("\N{EN DASH}", "-", "skipped", "quiet"),
    "failed": State("✗", "x", "failed", "failed"),
}
#: A sign for each change, in ASCII, and its style: those of the drift reports.
_SIGNS: Final = {
    "added": ("+", "done"),
    "removed": ("-", "failed"),
    "modified": ("~", "partial"),
    "assignment": ("@", "partial"),
    "order": ("=", "accent"),
}
#: Cells before a value of a difference.
_SIDE: Final = 11


@dataclass(frozen=True, slots=True)
class View:
    """What the lines depend on besides the item: the terminal, and the names of kinds."""

    width: int
    label: Callable[[str], str]
    ascii_only: bool = False
    opened: frozenset[Path] = frozenset()


def lines(detail: RestoreItemDetail, view: View) -> list[Line]:
    """All lines."""
    item = detail.item
    found = [*_head(detail, view), *_reasons(item, view), *_candidates(item, view)]
    return [*found, *_assignments(item, view), *_differences(item, view)]


def candidates(item: RestoreItem) -> list[tuple[str, str]]:
    """The objects of the target that it could be, as (id, name)."""
    found = [(one.get("id"), one.get("name")) for one in _objects(item, "candidates")]
    return [(id_, str(name or "")) for id_, name in found if isinstance(id_, str)]


def _objects(item: RestoreItem, name: str) -> list[Mapping[str, Any]]:
    found = item.plan.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


# ---- the head


def _head(detail: RestoreItemDetail, view: View) -> Iterator[Line]:
    restore, item = detail.restore, detail.item
    action, result = words.action(item.action), words.result(item.result, item.is_skipped)
    only = ", only its assignments" if item.plan.get("assignments_only") is True else ""
    yield from sections.text("title", view, "", item.name or "(without a name)", "bold")
    yield from sections.field("head", view, "Preview", with_glyph(action, view.ascii_only) + only, action.style)
    if result.word:
        yield from sections.field("head", view, "Result", with_glyph(result, view.ascii_only), result.style)
    if item.result and (item.result_message or item.result_code):
        told = ": ".join(part for part in (item.result_code, item.result_message) if part)
        yield from sections.field("head", view, "Because", told, result.style)
    for number, want in enumerate(words.wants(item.needs)):
        yield from sections.field(f"wants {number}", view, "Agree to", want, "partial")
    yield from sections.field("head", view, "Kind", capitalised(view.label(item.kind)))
    yield from sections.field("head", view, "Restore", f"{restore.id}, {words.way(restore, view.ascii_only)}")
    yield from sections.field("head", view, "Backup id", item.external_id)
    yield from sections.field("head", view, "Target id", item.target_id or "not there")
    if item.request_id:
        yield from sections.field("head", view, "Request", item.request_id, "quiet")


def _reasons(item: RestoreItem, view: View) -> Iterator[Line]:
    if not item.reasons:
        return
    yield from sections.heading("reasons", "Why it is not restored")
    for number, (code, told) in enumerate(item.reasons):
        yield from sections.text(("reasons", number), view, "", f"{told or 'no reason given'} ({code})", "failed")


def _candidates(item: RestoreItem, view: View) -> Iterator[Line]:
    found = candidates(item)
    if item.chosen_id is not None:
        yield from sections.heading("chosen", "Somebody chose")
        yield from sections.text("chosen", view, "", item.chosen_id)
    if found:
        yield from sections.heading("candidates", "It could be")
    for number, (id_, name) in enumerate(found):
        yield from sections.text(("candidates", number), view, "  ", f"{name or '(without a name)'}, {id_}")


# ---- assignments


def _assignments(item: RestoreItem, view: View) -> Iterator[Line]:
    if "assignments" not in item.plan:
        return
    yield from sections.heading("assignments", "Assignments of the backup")
    found = _objects(item, "assignments")
    if not found:
        yield Line(("assignments", "none"), (Cell("None."),))
    for number, one in enumerate(found):
        state = _ASSIGNED.get(str(one.get("state")), State("?", "?", str(one.get("state")), "partial"))
        before = f"{with_glyph(state, view.ascii_only)} "[: sections.NAMES].ljust(sections.NAMES)
        yield from _assignment(number, before, state.style, one, view)


def _assignment(number: int, before: str, style: str, one: Mapping[str, Any], view: View) -> Iterator[Line]:
    key = ("assignments", number)
    yield from sections.text(key, view, clean(before), str(one.get("words") or ""), "", style)
    if one.get("reason"):
        told = f"{one['reason']}{f' ({code})' if (code := one.get('code')) else ''}"
        yield from sections.text((key, "why"), view, " " * sections.NAMES, told, style)


# ---- differences


def _differences(item: RestoreItem, view: View) -> Iterator[Line]:
    found, more = _objects(item, "differences"), item.plan.get("more_differences")
    if found:
        yield from sections.heading("differences", "What is overwritten")
    for number, one in enumerate(found):
        yield from _difference(number, one, view)
    if isinstance(more, int) and more > 0:
        yield from sections.text("more", view, "", f"And {more:,} more.", "quiet")


def _difference(number: int, one: Mapping[str, Any], view: View) -> Iterator[Line]:
    sign, style = _SIGNS.get(str(one.get("change")), ("?", ""))
    key = ("differences", number)
    path, told = str(one.get("path") or ""), str(one.get("words") or "")
    yield from sections.text(key, view, f"{sign} ", f"{path}: {told}" if told and path else told or path, "", style)
    if told:  # the words have all of it
        return
    for name, side in (("is", "old"), ("becomes", "new")):
        yield from sections.text((key, side), view, f"  {name:<{_SIDE - 2}}", _value(one.get(side)), "", "quiet")


def _value(given: Any) -> str:
    return changes.NOTHING if given is None else json.dumps(given, ensure_ascii=False)
