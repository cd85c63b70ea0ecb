"""The parts of a page about one policy, as lines: headings, fields, what is missing, to whom it is assigned, its body.

Pure functions. The inventory and the backups show policies with them.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

from screens.text import json_tree
from screens.text import policy_words as words
from screens.text.assigned import Assigned, assigned
from screens.text.json_tree import Path
from screens.text.safe import clean, wrap
from screens.widgets.line_view import Line
from screens.widgets.row_diff import Cell

#: Width of the column of names, in cells.
NAMES: Final = 13
#: The paths of what is folded in the body begin with this word.
BODY: Final = "body"


class View(Protocol):
    """What lines depend on besides the policy."""

    @property
    def width(self) -> int:
        """The room for a line, in cells."""

    @property
    def ascii_only(self) -> bool:
        """Whether signs are those of ASCII."""

    @property
    def opened(self) -> frozenset[Path]:
        """What is unfolded."""


def text(key: Hashable, view: View, before: str, told: str, style: str = "", before_style: str = "") -> Iterator[Line]:
    """A text in as many lines as it needs, all as far to the right as `before` is wide."""
    for number, part in enumerate(wrap(told, view.width - len(before))):
        first = Cell(before, before_style) if not number else Cell(" " * len(before))
        yield Line((key, number), (first, Cell(part, style)))


def heading(section: str, title: str) -> Iterator[Line]:
    """A blank line, and the title of a section."""
    yield Line((section, "blank"), ())
    yield Line((section, "heading"), (Cell(title, "bold"),))


def field(section: str, view: View, name: str, told: str, style: str = "") -> Iterator[Line]:
    """A value behind its name."""
    yield from text((section, name), view, f"{name:<{NAMES}}", told, style, "quiet")


def gaps(found: Sequence[Any], view: View, where: str) -> Iterator[Line]:
    """What Microsoft Graph did not give: the loudest of the screen, because a restore cannot give it back."""
    if found:
        yield from heading("gaps", f"{len(found)} missing {where}")
    for number, gap in enumerate(found):
        known = gap if isinstance(gap, Mapping) else {"code": "unreadable", "detail": str(gap)}
        state = words.completeness(str(known.get("code")))
        before = f"{clean(words.with_glyph(state, view.ascii_only))}: "
        yield from text(("gaps", number), view, "", before + str(known.get("detail") or ""), "failed")


def assigned_to(
    assignments: Sequence[Any] | None, groups: Mapping[str, str], filters: Mapping[str, str], view: View
) -> Iterator[Line]:
    """To whom the policy is assigned. None: it is unknown."""
    yield from heading("assigned", "Assigned to")
    if assignments is None:
        yield from text(("assigned", "unknown"), view, "", "Unknown: they could not be read.", "failed")
        return
    found = assigned(assignments, groups, filters)
    if not found:
        yield Line(("assigned", "nobody"), (Cell("Nobody."),))
    for number, one in enumerate(found):
        yield from _target(number, one, view)


def _target(number: int, one: Assigned, view: View) -> Iterator[Line]:
    name = "Exclude" if one.is_excluded else "Include"
    more = "".join(f", {part}" for part in (one.filter, one.intent) if part)
    style = "" if one.is_understood else "failed"
    yield from text(("assigned", number), view, f"{name:<{NAMES}}", one.whom + more, style, "quiet")


def body(found: Mapping[str, Any], view: View, title: str = "Body") -> list[Line]:
    """The body as a tree that can be folded."""
    made = [*heading("body", title)]
    opened = frozenset(path[1:] for path in view.opened if path[0] == BODY)
    for number, line in enumerate(json_tree.lines(found, opened, view.width, view.ascii_only)):
        cells = (Cell(line.guides, "quiet"), Cell(line.key, "quiet"), Cell(line.value))
        made.append(Line((BODY, number), cells, (BODY, *line.path) if line.foldable else None))
    return made


def opened_at_first(found: Mapping[str, Any]) -> frozenset[Path]:
    """What of a body is unfolded when it is first shown."""
    return frozenset((BODY, *path) for path in json_tree.opened_at_first(found))


def foldable(found: Mapping[str, Any]) -> frozenset[Path]:
    """All of a body that can be unfolded."""
    return frozenset((BODY, *path) for path, _ in json_tree.foldable(found))
