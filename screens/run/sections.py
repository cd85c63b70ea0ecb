"""The run's screen as lines. Pure functions of the data read."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich.cells import cell_len

from screens.text import explain, json_tree
from screens.text import format as fmt
from screens.text.explain import Fact
from screens.text.json_tree import Path
from screens.text.safe import clean, wrap
from screens.text.timeline import Moment, timeline
from screens.text.times import AGES, TimeStyle
from screens.widgets.line_view import Line, Target
from screens.widgets.row_diff import Cell
from store.model.records import NO_TIME, UNREADABLE, Run, Status, Worker
from store.runs.detail import RunDetail

_LEVELS: Final = {"warning": "partial", "error": "failed", "debug": "quiet"}
#: The bar's signs, in Unicode and in ASCII, with their colours: succeeded, failed, skipped, open.
_SHARES: Final = {
    "█": "done",
    "▓": "failed",
    "▒": "partial",
    "░": "quiet",
    "#": "done",
    "x": "failed",
    "-": "partial",
    ".": "quiet",
}
#: Width of the column of names, in cells.
_NAMES: Final = 13
#: Key of the timeline's last line, which stays in view while the timeline is followed.
END: Final = ("timeline", "end")


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
    times: TimeStyle = AGES


def lines(detail: RunDetail, view: View) -> list[Line]:
    """All sections, in the order of an operator's questions.

    How is the run, why does it wait, what went wrong, when, with which parameters, and what belongs to it.
    """
    sections = (_head, _now, _items, _failures, _timeline, _context, _attempts, _related)
    return [line for section in sections for line in section(detail, view)]


# ---- parts of sections


def _text(key: Hashable, view: View, before: str, text: str, style: str = "", before_style: str = "") -> Iterator[Line]:
    """A text after the prefix `before`, wrapped; further lines are indented to match. `before` must be clean, one cell
    per character.
    """
    for number, part in enumerate(wrap(text, view.width - len(before))):
        first = Cell(before, before_style) if not number else Cell(" " * len(before))
        yield Line((key, number), (first, Cell(part, style)))


def _heading(section: str, words: str) -> Iterator[Line]:
    yield Line((section, "blank"), ())
    yield Line((section, "heading"), (Cell(words, "bold underline"),))


def _field(section: str, view: View, fact: Fact, target: Target | None = None) -> Iterator[Line]:
    first, *rest = _text((section, fact.name), view, f"{fact.name:<{_NAMES}}", fact.words, fact.style, "bold")
    yield Line(first.key, first.cells, target)
    yield from rest


def _state(run: Run, detail: RunDetail) -> fmt.State:
    return fmt.state_of(run, detail.silences.get(run.id))


def _glyph(run: Run, detail: RunDetail, view: View) -> str:
    state = _state(run, detail)
    return state.ascii if view.ascii_only else state.glyph


# ---- the sections


def _head(detail: RunDetail, view: View) -> Iterator[Line]:
    run, style = detail.run, _state(detail.run, detail).style
    title = Line("title", (Cell(clean(run.title), "bold"), Cell(f"  {clean(run.type)}", "quiet")))
    if cell_len(title.text) <= view.width:
        yield title
    else:
        yield from _text("title", view, "", run.title, "bold")
        yield from _field("head", view, Fact("Type", run.type))
    for name, words, ink in (
        ("State", f"{_glyph(run, detail, view)} {explain.state_of(detail)}", style),
        ("Tenant", f"{run.tenant_name} ({run.tenant})", ""),
        ("Started by", run.initiator_name, ""),
        ("Created", view.times.instant(run.created_at), ""),
    ):
        yield from _field("head", view, Fact(name, words, ink))


def _now(detail: RunDetail, view: View) -> Iterator[Line]:
    """What changes with time: how long the run waits or runs, and why; its worker; its typical duration."""
    took = fmt.elapsed(detail.run, view.now)
    others = [worker for worker in view.workers if worker.id != detail.run.worker_id]
    is_rescued = view.rescues or bool(others)
    facts = list(explain.why_it_waits(detail, view.workers, view.now))
    if took is not None:
        facts.append(Fact("Took" if detail.run.completed_at else "Running for", fmt.span(took)))
    facts += [fact for fact in (explain.usual(detail, view.now), explain.clock(detail, is_rescued)) if fact]
    for fact in facts:
        yield from _field("now", view, fact)


def _items(detail: RunDetail, view: View) -> Iterator[Line]:
    run, counts = detail.run, detail.run.summary_counts
    if counts is None:
        return
    yield from _heading("items", "Items")
    if run.status is Status.RUNNING and counts.done >= counts.total:
        yield Line(("items", "count"), (Cell(f"{counts.done} so far"),))
        return
    bar = fmt.bar(counts, max(10, min(60, view.width)), view.ascii_only)
    shares = (Cell("".join(part), _SHARES[sign]) for sign, part in itertools.groupby(bar))
    yield Line(("items", "bar"), tuple(shares))
    words = fmt.items(counts)
    if run.status is Status.RUNNING:
        words += f", {counts.total - counts.done} to do"
    yield from _text(("items", "count"), view, "", words)


def _failures(detail: RunDetail, view: View) -> Iterator[Line]:
    if not detail.run.failure_summary:
        return
    yield from _heading("failures", "Failures")
    for number, failure in enumerate(detail.run.failure_summary):
        count, code = f"{failure.count:>4} x ", clean(failure.code)
        before = Line(("failures", number), (Cell(count, "bold"), Cell(code, "failed"), Cell("  ")))
        room = view.width - cell_len(before.text)
        if room < len(failure.message) and room < view.width // 2:
            yield before
            yield from _text(("failures", number, "message"), view, " " * len(count), failure.message)
            continue
        first, *rest = wrap(failure.message, room)
        yield Line(before.key, (*before.cells, Cell(first)))
        for part, words in enumerate(rest):
            yield Line(("failures", number, part), (Cell(" " * cell_len(before.text)), Cell(words)))


def _timeline(detail: RunDetail, view: View) -> Iterator[Line]:
    times, opened_at = view.times, detail.run.created_at
    yield from _heading("timeline", f"Timeline ({times.zone(opened_at)})")
    found: list[Line] = []
    day, zone = times.there(opened_at).date(), times.zone(opened_at)
    for moment in timeline(detail):
        at, key, words = times.there(moment.at), ("timeline", moment.key), _words_of(moment)
        is_end = moment.what == "completed"
        style = fmt.state_of(detail.run).style if is_end else _LEVELS.get(moment.level, "")
        if at == NO_TIME:
            found += _text(key, view, f"{UNREADABLE:<10}", words, style, "quiet")
            continue
        if (at.date(), times.zone(at)) != (day, zone):
            # Where clocks were put back an hour comes twice: only the offset tells one from the other.
            words_of_day = at.date().isoformat() + (f" {times.zone(at)}" if times.zone(at) != zone else "")
            day, zone = at.date(), times.zone(at)
            found.append(Line(("timeline", "day", day, zone), (Cell(words_of_day, "quiet"),)))
        found += _text(key, view, at.strftime("%H:%M:%S  "), words, style, "quiet")
    yield from found[:-1]
    # The last line, whichever it is, gets the key that is followed.
    yield Line(END, found[-1].cells)


def _words_of(moment: Moment) -> str:
    return {
        "created": "opened",
        "started": f"started {moment.message}",
        "log": f"  {moment.message}",
        "completed": moment.message,
        "audit": moment.message,
    }.get(moment.what, moment.what)


def _context(detail: RunDetail, view: View) -> Iterator[Line]:
    context = detail.run.context or {}
    if context:
        yield from _heading("context", "Parameters and context")
    for number, line in enumerate(json_tree.lines(context, view.opened, view.width, view.ascii_only)):
        cells = (Cell(line.guides, "quiet"), Cell(line.key, "bold"), Cell(line.value))
        yield Line(("context", line.path, number), cells, line.path if line.foldable else None)


def _attempts(detail: RunDetail, view: View) -> Iterator[Line]:
    if len(detail.attempts) < 2:
        return
    yield from _heading("attempts", "Attempts")
    known = {run.id: run for run in detail.attempts}
    for run in detail.attempts:
        state, here = _state(run, detail), "  this run" if run.id == detail.run.id else ""
        when = view.times.instant(run.created_at) if view.times.is_absolute else fmt.instant(run.created_at)
        words = f" {when}  by {run.initiator_name}{here}"
        before = (
            Cell(f"{run.id:>7}  ", "bold" if here else ""),
            Cell(f"{_glyph(run, detail, view)} {state.word:<10}", state.style),
        )
        cells = (*before, Cell(wrap(words, max(10, view.width - 21))[0]))
        yield Line(("attempts", run.id), cells, None if here else run.id)
        former = known.get(run.retry_of_id or 0)
        for number, words in enumerate(differences(former, run, view.ascii_only) if former else ()):
            yield from _text(("attempts", run.id, number), view, " " * 9, words, "partial")


def differences(former: Run, run: Run, ascii_only: bool = False) -> list[str]:
    """The parameters that changed from one attempt to the next: `kinds: not set -> settings`."""
    old, new = former.parameters, run.parameters
    arrow = "->" if ascii_only else "→"
    changed = [name for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
    return [f"{clean(name)}: {short(old.get(name))} {arrow} {short(new.get(name))}" for name in changed]


def short(value: Any) -> str:
    """A parameter's value in at most 60 characters."""
    if value is None:
        return "not set"
    if isinstance(value, list | tuple):
        return clean(", ".join(map(str, value)))[:60] or "none"
    return json_tree.scalar(value)[:60]


def _related(detail: RunDetail, view: View) -> Iterator[Line]:
    facts = list(related(detail))
    if facts:
        yield from _heading("related", "Related")
    for number, (fact, target) in enumerate(facts):
        for line in _field("related", view, fact, target):
            yield Line((line.key, number), line.cells, line.target)


def related(detail: RunDetail) -> Iterator[tuple[Fact, Target | None]]:
    """Facts about related records, each with the id of the run to open, or None if it is no run."""
    run = detail.run
    if run.retry_of_id:
        yield Fact("Retries", f"run {run.retry_of_id}"), run.retry_of_id
    for again in (attempt for attempt in detail.attempts if attempt.retry_of_id == run.id):
        yield Fact("Retried by", f"run {again.id}, {_state(again, detail).word}"), again.id
    if twin := detail.twin:
        yield Fact("Active twin", f"run {twin.id}, {twin.status}: a retry joins it"), twin.id
    if detail.worker and run.status is Status.COMPLETED:
        yield Fact("Worker", explain.name_of(detail.worker)), None
    for name, value in record_ids(run.context or {}):
        yield Fact("Record", f"{name} {value}"), None


def record_ids(context: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Names and ids of other records in the context or its parameters: `backup_set_id`, `request_ids`."""
    for part in (context, context.get("parameters")):
        for key, value in sorted(part.items()) if isinstance(part, Mapping) else ():
            ids = value if isinstance(value, list) else [value]
            if str(key).endswith(("_id", "_ids")) and ids and all(isinstance(id_, str | int) for id_ in ids):
                more = f" and {len(ids) - 5} more" if len(ids) > 5 else ""
                yield clean(str(key)), clean(", ".join(map(str, ids[:5]))) + more
