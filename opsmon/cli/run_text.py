"""Formats runs as plain text and as JSON for the commands."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from opsmon.cli import colours
from opsmon.listing import Column, Listing
from opsmon.output import as_json, cell, pairs
from screens.text import explain
from screens.text import format as fmt
from screens.text.timeline import Moment, timeline
from store.model.records import Counts, Run, Worker
from store.runs.detail import RunDetail


def listed_run(run: Run, silences: Mapping[int, float]) -> dict[str, Any]:
    """A run in a list, as JSON: without its context, which lists do not read.

    `worker_silent_seconds` is null unless the run is running and its worker is silent.
    """
    row = {key: value for key, value in as_json(run).items() if key != "context"}
    return row | {SILENT: _seconds(silences.get(run.id))}


SILENT: Final = "worker_silent_seconds"


def _seconds(silence: float | None) -> float | None:
    return None if silence is None else round(silence, 1)


def items(counts: Counts | None) -> str:
    """The run's counts as a short text, such as `8/10, 2 failed`."""
    if counts is None:
        return "-"
    more = [f"{n} {word}" for n, word in ((counts.failed, "failed"), (counts.skipped, "skipped")) if n]
    return ", ".join([f"{counts.success}/{counts.total}", *more])


def took(run: Run) -> str:
    """How long the run took, as text; "-" if it is not completed or never started."""
    seconds = fmt.elapsed(run, run.completed_at) if run.completed_at else None
    return "-" if seconds is None else fmt.span(seconds)


def runs_listing(silences: Mapping[int, float]) -> Listing[Run]:
    """The list of runs. `silences` has the seconds since the last beat of silent workers, by run id."""
    return Listing(
        (
            Column("id", "RUN", lambda run: run.id, is_number=True),
            Column("tenant", "TENANT", lambda run: run.tenant, drop=1, is_name=True),
            Column("type", "TYPE", lambda run: run.type, drop=2, is_name=True),
            Column("status", "STATE", lambda run: explain.state(run, silences.get(run.id)), paint=colours.of_run),
            Column("summary_counts", "ITEMS", lambda run: items(run.summary_counts), drop=6),
            Column("initiator_name", "BY", lambda run: run.initiator_name, drop=7, is_name=True),
            Column("created_at", "CREATED", lambda run: run.created_at, drop=3),
            Column("started_at", "STARTED", lambda run: run.started_at, is_wide=True),
            Column("completed_at", "COMPLETED", lambda run: run.completed_at, is_wide=True),
            Column("took", "TOOK", took, drop=5, is_number=True),
            Column("worker_id", "WORKER", lambda run: run.worker_id, is_wide=True, is_number=True),
            Column("retry_of_id", "RETRY OF", lambda run: run.retry_of_id, is_wide=True, is_number=True),
            Column("failure_summary", "FIRST FAILURE", _first, drop=4, is_name=True),
        ),
        lambda run: listed_run(run, silences),
        "No runs.",
        fields=(*(one.name for one in dataclasses.fields(Run) if one.name != "context"), SILENT),
    )


def _first(run: Run) -> str:
    return run.failure_summary[0].message if run.failure_summary else ""


def run_line(run: Run, silence: float | None = None) -> str:
    """One sentence about a run that was started or waited for. `silence`: seconds since its worker's last beat, if it
    is silent.
    """
    parts = [f"Run {run.id}, {run.title} in {run.tenant}: {explain.state(run, silence).lower()}"]
    if run.summary_counts:
        parts.append(items(run.summary_counts))
    if run.failure_summary:
        parts.append(run.failure_summary[0].message)
    return cell(", ".join(parts)) + "."


def _moments(detail: RunDetail) -> list[dict[str, Any]]:
    """The timeline as JSON; `event` is created, queued, started, log, completed or audit."""
    return [moment_as_json(one) for one in timeline(detail)]


def moment_as_json(one: Moment) -> dict[str, Any]:
    """A line of the timeline as JSON."""
    return {"at": as_json(one.at), "event": one.what, "level": one.level, "message": one.message}


def run_as_json(detail: RunDetail) -> dict[str, Any]:
    """Everything about the run: its row, timeline, attempts (oldest first), and the other fields of `RunDetail`."""
    attempts = [listed_run(run, detail.silences) for run in detail.attempts]
    silent = {SILENT: _seconds(detail.silences.get(detail.run.id))}
    usual = detail.usual and {"p50": detail.usual.p50, "p95": detail.usual.p95, "count": detail.usual.count}
    beside = {"waiting": as_json(detail.waiting), "worker": as_json(detail.worker), "usual": usual}
    beside |= {"acknowledgement": as_json(detail.acknowledgement), "watched": detail.watched}
    return {**as_json(detail.run), **silent, "timeline": _moments(detail), "attempts": attempts, **beside}


def run_text(detail: RunDetail, alive: Sequence[Worker], now: dt.datetime) -> str:
    """The run as text for people. `alive` are the workers that beat; `now` is the time of the database's clock."""
    run = detail.run
    is_rescued = any(worker.id != run.worker_id for worker in alive)
    notes = [*explain.why_it_waits(detail, alive, now), explain.usual(detail, now), explain.clock(detail, is_rescued)]
    facts: dict[str, object] = dict(_facts(detail))
    facts |= {one.name: one.words for one in notes if one}
    parts = [pairs(facts.items())]
    if run.failure_summary:
        parts.append(_section("Failures", [f"{f.count} x {f.code}: {f.message}" for f in run.failure_summary]))
    if run.parameters:
        parts.append(_section("Parameters", [f"{k} = {cell(v)}" for k, v in run.parameters.items()]))
    others = {key: value for key, value in (run.context or {}).items() if key != "parameters"}
    if others:
        parts.append(_section("Context", [f"{key} = {cell(value)}" for key, value in others.items()]))
    parts.append(_section("Timeline", map(moment_text, timeline(detail))))
    if len(detail.attempts) > 1:
        parts.append(_section("Attempts", (run_line(one, detail.silences.get(one.id)) for one in detail.attempts)))
    return "\n\n".join(parts)


def _facts(detail: RunDetail) -> list[tuple[str, object]]:
    run = detail.run
    return [
        ("Run", run.id),
        ("Operation", f"{run.title} ({run.type})"),
        ("Tenant", f"{run.tenant_name} ({run.tenant})"),
        ("State", explain.state_of(detail)),
        ("Items", items(run.summary_counts)),
        ("Started by", run.initiator_name),
        ("Created", run.created_at),
        ("Started", run.started_at),
        ("Completed", run.completed_at),
        ("Took", took(run)),
        ("Worker", run.worker_id),
        ("Retry of", run.retry_of_id),
    ]


def _section(heading: str, lines: Iterable[str]) -> str:
    return "\n".join([heading, *(f"  {cell(line)}" for line in lines)])


def moment_text(moment: Moment) -> str:
    """A line of the timeline as text."""
    what = moment.level if moment.what == "log" else moment.what
    return cell(f"{fmt.instant(moment.at, 'Z')} {what}: {moment.message}")
