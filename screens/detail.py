"""The text of a run's screen, as a pure function of what was read."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence

from textual.content import Content

from screens import format as fmt
from screens.text import clean, plain
from store.details import Detail
from store.records import OUTCOME_LABELS, Event, Run, Status, Worker

_LEVELS = {"warning": "yellow", "error": "bold red", "debug": "dim"}


def content(detail: Detail, now: dt.datetime, workers: Sequence[Worker], width: int, ascii_only: bool) -> Content:
    """Every section in the order in which an operator asks: how is it, what went wrong, when, with what, and before that."""
    run = detail.run
    parts = [*_head(run, now, ascii_only), *_waiting(run, workers), *_counts(run, width, ascii_only), *_failures(run)]
    parts += [*_timeline(run, detail.events), *_parameters(run), *_attempts(detail, now, ascii_only)]
    return Content("\n").join(parts)


def _heading(words: str) -> Content:
    return Content.assemble("\n", (words, "bold underline"))


def _field(name: str, value: str, style: str = "") -> Content:
    return Content.assemble((f"{name:<12} ", "bold"), (clean(value), style))


def _head(run: Run, now: dt.datetime, ascii_only: bool) -> Iterator[Content]:
    state = fmt.state_of(run)
    glyph = state.ascii if ascii_only else state.glyph
    yield Content.assemble((clean(run.title), "bold"), f"  {clean(run.type)}")
    told = OUTCOME_LABELS[run.outcome] if run.status is Status.COMPLETED else run.status.value.capitalize()
    yield _field("State", f"{glyph} {told}", state.style)
    yield _field("Tenant", f"{run.tenant_name} ({run.tenant})")
    yield _field("Started by", run.initiator_name)
    yield _field("Created", f"{fmt.instant(run.created_at)} UTC")
    if run.started_at:
        yield _field("Took" if run.completed_at else "Running for", fmt.run_duration(run, now))
    if run.worker_id:
        yield _field("Worker", str(run.worker_id))


def _waiting(run: Run, workers: Sequence[Worker]) -> Iterator[Content]:
    if run.status is not Status.QUEUED:
        return
    free = sum(max(0, worker.slots - worker.stuck_slots - worker.running) for worker in workers)
    if not workers:
        yield _field("Waits", "no worker is alive: start one with 'opsmon worker'", "bold yellow")
    elif not free:
        yield _field("Waits", f"all slots of {len(workers)} worker(s) are busy")
    elif run.dispatched_at is None:
        yield _field("Waits", "its message is not in the queue yet")
    else:
        yield _field("Waits", "a worker will take it in a moment")


def _counts(run: Run, width: int, ascii_only: bool) -> Iterator[Content]:
    counts = run.summary_counts
    if counts is None:
        return
    yield _heading("Items")
    if run.status is Status.RUNNING and counts.done >= counts.total:
        yield Content(f"{counts.done} so far")
        return
    yield Content(fmt.bar(counts, max(10, min(60, width)), ascii_only))
    yield Content(f"{counts.total} in all, {counts.success} done, {counts.failed} failed, {counts.skipped} skipped")


def _failures(run: Run) -> Iterator[Content]:
    if run.failure_summary:
        yield _heading("Failures")
    for failure in run.failure_summary:
        yield Content.assemble(
            (f"{failure.count:>4} x ", "bold"), (clean(failure.code), "red"), "  ", plain(failure.message)
        )


def _timeline(run: Run, events: Sequence[Event]) -> Iterator[Content]:
    yield _heading("Timeline (UTC)")
    own = [
        (run.created_at, "opened", ""),
        (run.dispatched_at, "queued", ""),
        (run.started_at, f"started by worker {run.worker_id}", ""),
    ]
    own += [(event.at, f"  {event.message}", _LEVELS.get(event.level, "")) for event in events]
    lines = [(at, words, style) for at, words, style in own if at is not None]
    lines.sort(key=lambda line: line[0])
    if run.completed_at:
        lines.append((run.completed_at, OUTCOME_LABELS[run.outcome].lower(), fmt.state_of(run).style))
    for at, words, style in lines:
        yield Content.assemble((at.strftime("%H:%M:%S  "), "dim"), (clean(words), style))


def _parameters(run: Run) -> Iterator[Content]:
    if run.context:
        yield _heading("Parameters and context")
    for key, value in sorted((run.context or {}).items()):
        pretty = json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)
        first, *rest = pretty.splitlines()
        yield _field(key, first)
        yield from (plain(f"{'':<13}{line}") for line in rest)


def _attempts(detail: Detail, now: dt.datetime, ascii_only: bool) -> Iterator[Content]:
    if len(detail.attempts) < 2:
        return
    yield _heading("Attempts")
    for run in detail.attempts:
        state = fmt.state_of(run)
        glyph = state.ascii if ascii_only else state.glyph
        here = "this run" if run.id == detail.run.id else ""
        words = f"{fmt.instant(run.created_at)}  by {run.initiator_name}  {here}"
        yield Content.assemble(f"{run.id:>7}  ", (f"{glyph} {state.word:<10}", state.style), " ", plain(words))
