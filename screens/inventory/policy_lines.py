"""One policy as lines: how it stands, what is missing of it, to whom it is assigned, its versions, its body. Pure functions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from screens.inventory import words
from screens.inventory.assigned import Assigned, assigned
from screens.inventory.difference import Difference
from screens.text import format as fmt
from screens.text import json_tree
from screens.text.json_tree import Path
from screens.text.safe import clean, fit, wrap
from screens.widgets.line_view import Line, Target
from screens.widgets.row_diff import Cell
from store.intune.browsed import PolicyDetail, VersionState

#: Width of the column of names, in cells.
_NAMES: Final = 13
#: Versions that are shown while the others are folded.
FEW: Final = 4
#: What folds the versions; the body's paths begin with their own word.
VERSIONS: Final[Path] = ("versions",)
BODY: Final = "body"
_SIGNS: Final = {"+": ("+ added    ", "green"), "-": ("- removed  ", "red"), " ": ("= same     ", "dim")}


@dataclass(frozen=True, slots=True)
class View:
    """What the lines depend on besides the policy: the database's time, the terminal, and what is unfolded."""

    now: dt.datetime
    width: int
    opened: frozenset[Path]
    ascii_only: bool = False
    #: The kind's name for people.
    kind: str = ""
    #: What to press, or whom to ask, to have policies read whole.
    how_to_sync: str = ""


def head(policy: PolicyDetail, view: View) -> list[Line]:
    """All above the body."""
    return [*_title(policy, view), *_gaps(policy, view), *_assigned(policy, view), *_versions(policy, view)]


def body_of(policy: PolicyDetail) -> Mapping[str, Any]:
    """The body that is shown: the version's, or without any version what a list shows of the policy."""
    body = policy.listed if policy.shown is None else policy.shown.body
    return body if isinstance(body, Mapping) else {"": body}


def body(policy: PolicyDetail, view: View) -> list[Line]:
    """The body as a tree that can be folded."""
    found = [*_heading("body", "Body" if policy.shown else "As listed")]
    opened = frozenset(path[1:] for path in view.opened if path[0] == BODY)
    for number, line in enumerate(json_tree.lines(body_of(policy), opened, view.width, view.ascii_only)):
        cells = (Cell(line.guides, "dim"), Cell(line.key, "bold"), Cell(line.value))
        found.append(Line((BODY, number), cells, (BODY, *line.path) if line.foldable else None))
    return found


def changes(policy: PolicyDetail, found: Difference | None, view: View) -> list[Line]:
    """All lines while the difference is shown, between the version and the one before it; `found` is None while it is
    computed.
    """
    lines = list(_text("title", view, "", policy.name or "(without a name)", "bold"))
    for name, version in (("Version of", policy.shown), ("Before it", policy.before)):
        if version:
            lines += _field("changes", view, name, fmt.instant(version.state.first_seen_at, " UTC"))
    lines += _heading("changes", "What changed since the version before")
    if found is None:
        return [*lines, Line(("changes", "wait"), (Cell("Comparing."),))]
    told = f"{found.added:,} lines added, {found.removed:,} removed"
    told += f"; only the first {len(found.lines):,} lines are shown" if found.is_cut else ""
    lines += _text(("changes", "told"), view, "", told)
    for number, (sign, text) in enumerate(found.lines):
        words_of_sign, style = _SIGNS.get(sign, ("", ""))
        shown = fit(text, view.width - len(words_of_sign)).rstrip() if words_of_sign else "..."
        lines.append(Line(("changes", number), (Cell(words_of_sign, style or "dim"), Cell(shown, style or "dim"))))
    return lines


# ---- parts


def _text(key: Hashable, view: View, before: str, text: str, style: str = "", before_style: str = "") -> Iterator[Line]:
    for number, part in enumerate(wrap(text, view.width - len(before))):
        first = Cell(before, before_style) if not number else Cell(" " * len(before))
        yield Line((key, number), (first, Cell(part, style)))


def _heading(section: str, title: str) -> Iterator[Line]:
    yield Line((section, "blank"), ())
    yield Line((section, "heading"), (Cell(title, "bold underline"),))


def _field(section: str, view: View, name: str, text: str, style: str = "") -> Iterator[Line]:
    yield from _text((section, name), view, f"{name:<{_NAMES}}", text, style, "bold")


def _title(policy: PolicyDetail, view: View) -> Iterator[Line]:
    yield from _text("title", view, "", policy.name or "(without a name)", "bold")
    if policy.description:
        yield from _text("description", view, "", policy.description, "dim")
    code = policy.shown.state.completeness if policy.shown else None
    state = words.state(code, policy.missing_since)
    seen = f", seen {_ago(policy.last_seen_at, view.now)}" if policy.missing_since is None else ""
    yield from _field("head", view, "State", words.with_glyph(state, view.ascii_only) + seen, state.style)
    yield from _field("head", view, "Tenant", f"{policy.tenant.name} ({policy.tenant.slug})")
    yield from _field("head", view, "Kind", words.capitalised(view.kind))
    yield from _field("head", view, "Platform", policy.platform or "none")
    if policy.modified_at:
        yield from _field("head", view, "Changed", fmt.instant(policy.modified_at, " UTC"))
    yield from _field("head", view, "Id", policy.external_id)
    if policy.shown is None:
        yield from _field("head", view, "Read", f"Only what a list shows was read. {view.how_to_sync}", "cyan")


def _gaps(policy: PolicyDetail, view: View) -> Iterator[Line]:
    """What Microsoft Graph did not give: the loudest of the screen, because a restore cannot give it back."""
    gaps = policy.shown.gaps if policy.shown else ()
    if gaps:
        yield from _heading("gaps", f"{len(gaps)} missing in this version")
    for number, gap in enumerate(gaps):
        known = gap if isinstance(gap, Mapping) else {"code": "unreadable", "detail": str(gap)}
        state = words.completeness(str(known.get("code")))
        before = f"{clean(words.with_glyph(state, view.ascii_only))}: "
        yield from _text(("gaps", number), view, "", before + str(known.get("detail") or ""), "bold red")


def _assigned(policy: PolicyDetail, view: View) -> Iterator[Line]:
    if policy.shown is None:
        return
    yield from _heading("assigned", "Assigned to")
    if policy.shown.assignments is None:
        yield from _text(("assigned", "unknown"), view, "", "Unknown: they could not be read.", "bold red")
        return
    found = assigned(policy.shown.assignments, policy.groups, policy.filters)
    if not found:
        yield Line(("assigned", "nobody"), (Cell("Nobody."),))
    for number, one in enumerate(found):
        yield from _target(number, one, view)


def _target(number: int, one: Assigned, view: View) -> Iterator[Line]:
    name = "Exclude" if one.is_excluded else "Include"
    more = "".join(f", {part}" for part in (one.filter, one.intent) if part)
    style = "" if one.is_understood else "bold red"
    yield from _text(("assigned", number), view, f"{name:<{_NAMES}}", one.whom + more, style, "bold")


def _versions(policy: PolicyDetail, view: View) -> Iterator[Line]:
    if not policy.versions:
        return
    more = "+" if policy.has_more_versions else ""
    yield from _heading("versions", f"Versions ({len(policy.versions)}{more})")
    shown = policy.versions if VERSIONS in view.opened else policy.versions[:FEW]
    for version in shown:
        yield _version(version, policy, view)
    if others := len(policy.versions) - len(shown):
        yield Line(("versions", "fold"), (Cell(f"  and {others}{more} older: enter shows them", "dim"),), VERSIONS)
    elif more and VERSIONS in view.opened:
        yield Line(("versions", "more"), (Cell(f"  and more: only the newest {len(shown)} are listed", "dim"),))


def _version(version: VersionState, policy: PolicyDetail, view: View) -> Line:
    is_shown = policy.shown is not None and policy.shown.state.id == version.id
    state = words.completeness(version.completeness)
    mark = (">" if view.ascii_only else "▶") if is_shown else " "
    when = f"{mark} {fmt.instant(version.first_seen_at, ' UTC')}  "
    until = f"  until {fmt.instant(version.last_seen_at, ' UTC')}"
    told = words.with_glyph(state, view.ascii_only)
    cells = [Cell(when, "bold" if is_shown else ""), Cell(fit(told, 21).rstrip(), state.style)]
    if len(when) + len(until) + 21 <= view.width:
        cells[1] = Cell(fit(told, 21), state.style)
        cells.append(Cell(until, "dim"))
    target: Target = version.id
    return Line(("versions", version.id), tuple(cells), target)


def _ago(then: dt.datetime, now: dt.datetime) -> str:
    age = fmt.age(then, now)
    return "just now" if age == "now" else f"{age} ago"
