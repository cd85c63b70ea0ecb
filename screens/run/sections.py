"""The run's screen as lines. Pure functions of the data read."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any, Final

from rich.cells import cell_len

from screens.run.log_lines import log_lines
from screens.run.parts import View, field, heading, text
from screens.text import explain, json_tree
from screens.text import format as fmt
from screens.text.explain import Fact
from screens.text.safe import clean, wrap
from screens.widgets.line_view import Line, Target
from screens.widgets.row_diff import Cell
from store.model.records import Run, Status
from store.runs.detail import RunDetail

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


def lines(detail: RunDetail, view: View) -> list[Line]:
    """All sections, in the order of an operator's questions.

    How is the run, what went wrong, why does it wait, when, with which parameters, and what belongs to it.
    """
    sections = (_head, _failures, _facts, _now, _items, log_lines, _context, _attempts, _related)
    return [line for section in sections for line in section(detail, view)]


# ---- the sections' common words


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
        yield from text("title", view, "", run.title, "bold")
        yield from field("head", view, Fact("Type", run.type))
    yield from text("state", view, "", _headline(detail, view), style)


def _headline(detail: RunDetail, view: View) -> str:
    """How the run stands, since when, who started it, and which attempt it is, in one line."""
    run, took = detail.run, fmt.elapsed(detail.run, view.now)
    told = f"{_glyph(run, detail, view)} {explain.state_of(detail)}"
    if took is not None:
        told += f" after {fmt.span(took)}" if run.completed_at else f", running for {fmt.span(took)}"
    if then := run.completed_at or (None if run.started_at else run.created_at):
        told += f", {view.times.ago(then, view.now)}"
    told += f". Started by {run.initiator_name}."
    ids = [attempt.id for attempt in detail.attempts]
    if len(ids) > 1 and run.id in ids:
        told += f" Attempt {ids.index(run.id) + 1} of {len(ids)}."
    return told


def _facts(detail: RunDetail, view: View) -> Iterator[Line]:
    if detail.run.failure_summary:
        yield Line(("head", "blank"), ())
    for name, words in _about(detail, view):
        yield from field("head", view, Fact(name, words))


def _about(detail: RunDetail, view: View) -> Iterator[tuple[str, str]]:
    """Where it runs and since when, who has seen to it, and whether the user watches it."""
    run = detail.run
    yield "Tenant", f"{run.tenant_name} ({run.tenant})"
    yield "Created", view.times.instant(run.created_at)
    if known := detail.acknowledgement:
        note = f": {known.note}" if known.note else ""
        yield "Acknowledged", f"by {known.name}, {view.times.ago(known.at, view.now)}{note}"
    if detail.watched and run.status is not Status.COMPLETED:
        yield "Watched", "You watch this run."


def _now(detail: RunDetail, view: View) -> Iterator[Line]:
    """What changes with time: how long the run waits or runs, and why; its worker; its typical duration."""
    others = [worker for worker in view.workers if worker.id != detail.run.worker_id]
    is_rescued = view.rescues or bool(others)
    facts = list(explain.why_it_waits(detail, view.workers, view.now))
    facts += [fact for fact in (explain.usual(detail, view.now), explain.clock(detail, is_rescued)) if fact]
    for fact in facts:
        yield from field("now", view, fact)


def _items(detail: RunDetail, view: View) -> Iterator[Line]:
    run, counts = detail.run, detail.run.summary_counts
    if counts is None:
        return
    yield from heading("items", "Items")
    if run.status is Status.RUNNING and counts.done >= counts.total:
        yield Line(("items", "count"), (Cell(f"{counts.done} so far"),))
        return
    bar = fmt.bar(counts, max(10, min(60, view.width)), view.ascii_only)
    shares = (Cell("".join(part), _SHARES[sign]) for sign, part in itertools.groupby(bar))
    yield Line(("items", "bar"), tuple(shares))
    words = fmt.items(counts)
    if run.status is Status.RUNNING:
        words += f", {counts.total - counts.done} to do"
    yield from text(("items", "count"), view, "", words)


def _failures(detail: RunDetail, view: View) -> Iterator[Line]:
    if not detail.run.failure_summary:
        return
    for number, failure in enumerate(detail.run.failure_summary):
        count, code = f"{failure.count:>4} x ", clean(failure.code)
        before = Line(("failures", number), (Cell(count, "bold"), Cell(code, "failed"), Cell("  ")))
        room = view.width - cell_len(before.text)
        if room < len(failure.message) and room < view.width // 2:
            yield before
            yield from text(("failures", number, "message"), view, " " * len(count), failure.message)
            continue
        first, *rest = wrap(failure.message, room)
        yield Line(before.key, (*before.cells, Cell(first)))
        for part, words in enumerate(rest):
            yield Line(("failures", number, part), (Cell(" " * cell_len(before.text)), Cell(words)))


def _context(detail: RunDetail, view: View) -> Iterator[Line]:
    context = detail.run.context or {}
    if context:
        yield from heading("context", "Parameters and context")
    for number, line in enumerate(json_tree.lines(context, view.opened, view.width, view.ascii_only)):
        cells = (Cell(line.guides, "quiet"), Cell(line.key, "bold"), Cell(line.value))
        yield Line(("context", line.path, number), cells, line.path if line.foldable else None)


def _attempts(detail: RunDetail, view: View) -> Iterator[Line]:
    if len(detail.attempts) < 2:
        return
    yield from heading("attempts", "Attempts")
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
            yield from text(("attempts", run.id, number), view, " " * 9, words, "partial")


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
        yield from heading("related", "Related")
    for number, (fact, target) in enumerate(facts):
        for line in field("related", view, fact, target):
            yield Line((line.key, number), line.cells, line.target)


def related(detail: RunDetail) -> Iterator[tuple[Fact, Target | None]]:
    """Facts about related records, each with the id of the run to open, or None if it is no run."""
    run = detail.run
    if run.retry_of_id:
        yield Fact("Retries", f"run {run.retry_of_id}"), run.retry_of_id
    for again in (attempt for attempt in detail.attempts if attempt.retry_of_id == run.id):
        yield Fact("Retried by", f"{again.initiator_name}: run {again.id}, {_state(again, detail).word}"), again.id
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
