"""One policy as lines: how it stands, what is missing of it, to whom it is assigned, its versions, its body. Pure functions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from screens.inventory.difference import Difference
from screens.text import policy_words as words
from screens.text.json_tree import Path
from screens.text.safe import fit
from screens.text.times import AGES, TimeStyle
from screens.widgets import policy_sections as sections
from screens.widgets.line_view import Line, Target
from screens.widgets.row_diff import Cell
from store.intune.browsed import PolicyDetail, VersionState

#: Versions that are shown while the others are folded.
FEW: Final = 4
#: What folds the versions; the body's paths begin with their own word.
VERSIONS: Final[Path] = ("versions",)
_SIGNS: Final = {"+": ("+ added    ", "accent"), "-": ("- removed  ", "partial"), " ": ("= same     ", "quiet")}


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
    times: TimeStyle = AGES


def head(policy: PolicyDetail, view: View) -> list[Line]:
    """All above the body."""
    gaps = policy.shown.gaps if policy.shown else ()
    return [
        *_title(policy, view),
        *sections.gaps(gaps, view, "in this version"),
        *_assigned(policy, view),
        *_versions(policy, view),
    ]


def body_of(policy: PolicyDetail) -> Mapping[str, Any]:
    """The body that is shown: the version's, or without any version what a list shows of the policy."""
    body = policy.listed if policy.shown is None else policy.shown.body
    return body if isinstance(body, Mapping) else {"": body}


def body(policy: PolicyDetail, view: View) -> list[Line]:
    """The body as a tree that can be folded."""
    return sections.body(body_of(policy), view, "Body" if policy.shown else "As listed")


def changes(policy: PolicyDetail, found: Difference | None, view: View) -> list[Line]:
    """All lines while the difference is shown, between the version and the one before it; `found` is None while it is
    computed.
    """
    lines = list(sections.text("title", view, "", policy.name or "(without a name)", "bold"))
    for name, version in (("Version of", policy.shown), ("Before it", policy.before)):
        if version:
            lines += sections.field("changes", view, name, view.times.instant(version.state.first_seen_at))
    lines += sections.heading("changes", "What changed since the version before")
    if found is None:
        return [*lines, Line(("changes", "wait"), (Cell("Comparing."),))]
    told = f"{found.added:,} lines added, {found.removed:,} removed"
    told += f"; only the first {len(found.lines):,} lines are shown" if found.is_cut else ""
    lines += sections.text(("changes", "told"), view, "", told)
    for number, (sign, text) in enumerate(found.lines):
        words_of_sign, style = _SIGNS.get(sign, ("", ""))
        shown = fit(text, view.width - len(words_of_sign)).rstrip() if words_of_sign else "..."
        lines.append(Line(("changes", number), (Cell(words_of_sign, style or "quiet"), Cell(shown, style or "quiet"))))
    return lines


# ---- parts


def _title(policy: PolicyDetail, view: View) -> Iterator[Line]:
    yield from sections.text("title", view, "", policy.name or "(without a name)", "bold")
    if policy.description:
        yield from sections.text("description", view, "", policy.description, "quiet")
    code = policy.shown.state.completeness if policy.shown else None
    state = words.state(code, policy.missing_since)
    seen = f", seen {view.times.ago(policy.last_seen_at, view.now)}" if policy.missing_since is None else ""
    yield from sections.field("head", view, "State", words.with_glyph(state, view.ascii_only) + seen, state.style)
    yield from sections.field("head", view, "Tenant", f"{policy.tenant.name} ({policy.tenant.slug})")
    yield from sections.field("head", view, "Kind", words.capitalised(view.kind))
    yield from sections.field("head", view, "Platform", policy.platform or "none")
    if policy.modified_at:
        yield from sections.field("head", view, "Changed", view.times.instant(policy.modified_at))
    yield from sections.field("head", view, "Id", policy.external_id)
    if policy.shown is None:
        yield from sections.field(
            "head", view, "Read", f"Only what a list shows was read. {view.how_to_sync}", "accent"
        )


def _assigned(policy: PolicyDetail, view: View) -> Iterator[Line]:
    if policy.shown is not None:
        yield from sections.assigned_to(policy.shown.assignments, policy.groups, policy.filters, view)


def _versions(policy: PolicyDetail, view: View) -> Iterator[Line]:
    if not policy.versions:
        return
    more = "+" if policy.has_more_versions else ""
    yield from sections.heading("versions", f"Versions ({len(policy.versions)}{more})")
    shown = policy.versions if VERSIONS in view.opened else policy.versions[:FEW]
    for version in shown:
        yield _version(version, policy, view)
    if others := len(policy.versions) - len(shown):
        yield Line(("versions", "fold"), (Cell(f"  and {others}{more} older: enter shows them", "quiet"),), VERSIONS)
    elif more and VERSIONS in view.opened:
        yield Line(("versions", "more"), (Cell(f"  and more: only the newest {len(shown)} are listed", "quiet"),))


def _version(version: VersionState, policy: PolicyDetail, view: View) -> Line:
    is_shown = policy.shown is not None and policy.shown.state.id == version.id
    state = words.completeness(version.completeness)
    mark = (">" if view.ascii_only else "▶") if is_shown else " "
    when = f"{mark} {view.times.instant(version.first_seen_at)}  "
    until = f"  until {view.times.instant(version.last_seen_at)}"
    told = words.with_glyph(state, view.ascii_only)
    cells = [Cell(when, "bold" if is_shown else ""), Cell(fit(told, 21).rstrip(), state.style)]
    if len(when) + len(until) + 21 <= view.width:
        cells[1] = Cell(fit(told, 21), state.style)
        cells.append(Cell(until, "quiet"))
    target: Target = version.id
    return Line(("versions", version.id), tuple(cells), target)
