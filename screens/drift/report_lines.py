"""A drift report as lines: what was compared, then policy by policy what changed. Pure functions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from screens.drift.side_by_side import side_by_side
from screens.text import changes
from screens.text import format as fmt
from screens.text.safe import clean, fit, wrap
from screens.text.times import AGES, TimeStyle
from screens.widgets.line_view import Line
from screens.widgets.row_diff import Cell
from store.intune.drift_page import DriftDetail, ListedFinding

#: What folds the kinds that were not compared.
KINDS: Final = ("kinds",)
#: A sign for each change, in ASCII, and its style.
_SIGNS: Final = {
    "added": ("+", "accent"),
    "removed": ("-", "partial"),
    "modified": ("~", "partial"),
    "assignment": ("@", "partial"),
    "order": ("=", "quiet"),
}


@dataclass(frozen=True, slots=True)
class View:
    """What the lines depend on besides the report."""

    now: dt.datetime
    width: int
    #: Findings, by id, whose sides are shown; KINDS.
    opened: frozenset[object]
    kind_label: Callable[[str], str]
    #: Pages before this one have so many findings.
    before: int = 0
    times: TimeStyle = AGES


def lines(detail: DriftDetail, view: View) -> list[Line]:
    """All lines of a page of the report."""
    return [*_head(detail, view), *_findings(detail.findings, view), *_more(detail, view), *_kinds(detail, view)]


def told(detail: DriftDetail) -> str:
    """What was compared, in a sentence."""
    report = detail.report
    compared = [kind for kind in report.kinds if not kind.reason]
    policies = sum(kind.policies for kind in compared)
    return (
        f"{fmt.several(report.findings, 'finding')} in {fmt.several(policies, 'policy', 'policies')} of "
        f"{fmt.several(len(compared), 'kind')}, the newest sync compared with {changes.compared_with(report)}."
    )


def _text(key: object, text: str, view: View, style: str = "", indent: int = 0) -> Iterator[Line]:
    for number, part in enumerate(wrap(clean(text), view.width - indent)):
        yield Line((key, number), (Cell(" " * indent), Cell(part, style)))


def _head(detail: DriftDetail, view: View) -> Iterator[Line]:
    yield from _text("told", told(detail), view, "bold")
    if caution := changes.caution(detail.report):
        yield from _text("caution", caution, view, "partial")
    by = f"By {detail.report.initiator_name}, {view.times.ago(detail.report.created_at, view.now)}."
    instants = [(kind.before, kind.after) for kind in detail.report.kinds if kind.before and kind.after]
    if instants:
        first, last = (view.times.instant(max(side)) for side in zip(*instants, strict=True))
        by += f" Between {first} and {last}."
    yield from _text("by", by, view, "quiet")
    if view.before:
        yield from _text("page", f"From finding {view.before + 1:,} on.", view, "quiet")


def _findings(findings: Sequence[ListedFinding], view: View) -> Iterator[Line]:
    for kind, name, some in changes.by_policy(findings):
        yield Line(("blank", some[0].id), ())
        room = max(10, view.width - len(view.kind_label(kind)) - 2)
        title = fit(clean(name or "(without a name)"), room).rstrip()
        yield Line(("policy", some[0].id), (Cell(title, "bold"), Cell(f"  {clean(view.kind_label(kind))}", "quiet")))
        for one in some:
            yield from _finding(one, view)


def _finding(one: ListedFinding, view: View) -> Iterator[Line]:
    sign, style = _SIGNS.get(one.change, ("?", ""))
    note = " accepted" if one.accepted else ""
    text = fit(clean(changes.sentence(one)), view.width - 4 - len(note)).rstrip()
    cells = (Cell(f"  {sign} ", "quiet" if note else style), Cell(text, "quiet" if note else ""), Cell(note, "done"))
    yield Line(("finding", one.id), cells, one.id)
    if one.id not in view.opened:
        return
    if one.accepted:
        until = f" until {view.times.instant(one.accepted.until)}" if one.accepted.until else ""
        words = f"Accepted by {one.accepted.user_name}{until}: {one.accepted.reason}"
        yield from _text(("accepted", one.id), words, view, "done", 4)
    if one.words or len(one.path) > view.width - 4:  # else it has been read already
        yield from _text(("path", one.id), one.path, view, "quiet", 4)
    if one.change not in ("added", "removed"):
        yield from _sides(one, view)


def _sides(one: ListedFinding, view: View) -> Iterator[Line]:
    room = (view.width - 4 - 3) // 2
    pairs, is_cut = side_by_side(one.old, one.new, room)
    titles = (Cell(fit("Before", room), "quiet"), Cell("   "), Cell("Now", "quiet"))
    yield Line(("sides", one.id), (Cell("    "), *titles))
    for number, pair in enumerate(pairs):
        styles = ("partial", "accent") if pair.differ else ("", "")
        sign = " > " if pair.differ else "   "
        cells = (Cell("    "), Cell(fit(pair.left, room), styles[0]), Cell(sign, "quiet"), Cell(pair.right, styles[1]))
        yield Line(("sides", one.id, number), cells)
    if is_cut:
        rest = "The rest is not shown: 'opsmon drift show RUN --json' has all of it."
        yield from _text(("sides", one.id, "cut"), rest, view, "quiet", 4)


def _more(detail: DriftDetail, view: View) -> Iterator[Line]:
    if not detail.findings:
        yield Line("none", ())
        nothing = "Nothing was found." if changes.caution(detail.report) else "Nothing changed."
        yield from _text("nothing", nothing if not view.before else "There are no more.", view)
    if detail.has_more:
        yield Line("more", ())
        yield from _text("more findings", "There are more findings: ] shows them.", view, "bold")


def _kinds(detail: DriftDetail, view: View) -> Iterator[Line]:
    left_out = [kind for kind in detail.report.kinds if kind.reason]
    if not left_out:
        return
    yield Line("kinds blank", ())
    is_open = KINDS in view.opened
    sign = "v" if is_open else ">"
    text = f"{sign} {fmt.several(len(left_out), 'kind')} not compared"
    yield Line("kinds", (Cell(text, "partial"),), KINDS)
    for kind in left_out if is_open else ():
        yield from _text(("kind", kind.kind), f"{view.kind_label(kind.kind)}: {kind.reason}", view, "", 2)
