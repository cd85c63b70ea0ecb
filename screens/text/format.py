"""Formats values for people: words, glyphs, coarse times. Pure functions."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final, Protocol

from store.model.records import NO_CODE, NO_TIME, OUTCOME_LABELS, UNREADABLE, Count, Counts, Outcome, Run, Status

#: What a screen says before the first poll has come back.
WAITING: Final = "Waiting for the database."


@dataclass(frozen=True, slots=True)
class State:
    """How a run's state is shown: `glyph` (or `ascii`) and `word`, never colour alone.

    `style` is a Rich style of the 16 ANSI colours.
    """

    glyph: str
    ascii: str
    word: str
    style: str


_STATUS: Final = {
    Status.QUEUED: State("○", ".", "queued", "text"),
    Status.RUNNING: State("●", "*", "running", "running"),
}
#: A held run: it does nothing, and waits for whoever looks at it.
_PREVIEW: Final = State("…", ".", "preview", "warn")
_OUTCOME: Final = {
    Outcome.SUCCEEDED: State("✓", "+", "succeeded", "done"),
    Outcome.PARTIALLY_SUCCEEDED: State("◐", "~", "partial", "partial"),
    Outcome.FAILED: State("✗", "x", "failed", "failed"),
    Outcome.CANCELLED: State("\N{EN DASH}", "-", "cancelled", "quiet"),
}


class HasState(Protocol):
    """What has the state of a run."""

    @property
    def status(self) -> Status:
        """Whether it is queued, running or completed."""

    @property
    def outcome(self) -> Outcome:
        """How it ended; pending until then."""


def state_of(run: HasState, silence: float | None = None) -> State:
    """The state to show. `silence`: seconds since the worker of a running run was last heard of; None if it is heard."""
    if isinstance(run, Run) and run.held:
        return _PREVIEW
    if silence is not None and run.status is Status.RUNNING:
        return State("!", "!", f"silent {coarse_span(silence)}", "warn")
    return _STATUS.get(run.status) or _OUTCOME[run.outcome]


def label(run: Run) -> str:
    """The run's state in full words, capitalised: `Running`, `Preview`, `Partially succeeded`."""
    if run.held:
        return _PREVIEW.word.capitalize()
    return OUTCOME_LABELS[run.outcome] if run.status is Status.COMPLETED else run.status.value.capitalize()


def span(seconds: float) -> str:
    """A duration for a sentence, to the second below an hour: `12 s`, `4m05`, `1h07`, `3d04h`."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60:02}"
    return f"{whole // 86400}d{whole % 86400 // 3600:02}h"


def coarse_span(seconds: float) -> str:
    """A duration for a column: `12 s`, `4m`, `1h07`, `3d`. Coarse, so that it rarely changes and little is repainted."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}m"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60:02}"
    return f"{whole // 86400}d"


def ago(then: dt.datetime, now: dt.datetime) -> str:
    """How long ago that was, by the database's clock: `just now`, `4m ago`, `3h07 ago`."""
    told = age(then, now)
    return "just now" if told == "now" else f"{told} ago"


def age(then: dt.datetime | None, now: dt.datetime) -> str:
    """How long ago `then` was, by the database's clock, in whole minutes or more: seconds would change with every poll."""
    if then is None:
        return ""
    if then == NO_TIME:
        return NO_CODE
    seconds = (now - then).total_seconds()
    return "now" if seconds < 60 else coarse_span(seconds)


def since(then: dt.datetime, now: dt.datetime) -> str:
    """For how long something has lasted: `for 4m`, `just now`."""
    words = age(then, now)
    return "just now" if words == "now" else f"for {words}"


def run_duration(run: Run, now: dt.datetime) -> str:
    """How long the run has taken so far, or took, for a column; "" before its start."""
    if run.started_at is None:
        return ""
    took = elapsed(run, now)
    return NO_CODE if took is None else coarse_span(took)


def elapsed(run: Run, now: dt.datetime) -> float | None:
    """Seconds from the run's start to its end, or to now. None before the start, or if an instant is unreadable."""
    end = run.completed_at or now
    if run.started_at is None or NO_TIME in (run.started_at, end):
        return None
    return (end - run.started_at).total_seconds()


def progress(run: Run) -> str:
    """Progress with a percentage only while running with a known total: `12/40 30%`; afterwards successes of total.

    If the total does not exceed what is done, the operation does not know it in advance: then only the count is shown.
    """
    counts = run.summary_counts
    if counts is None or not counts.total:
        return ""
    if run.status is not Status.RUNNING:
        return f"{counts.success}/{counts.total}"
    if counts.done >= counts.total:
        return str(counts.done)
    return f"{counts.done}/{counts.total} {100 * counts.done // counts.total}%"


def bar(counts: Counts, width: int, ascii_only: bool = False) -> str:
    """The counts as a bar of `width` cells: succeeded, failed, skipped, open. A share above zero takes at least one cell."""
    signs = "#x-." if ascii_only else "█▓▒░"
    shares = (counts.success, counts.failed, counts.skipped, max(0, counts.total - counts.done))
    total = sum(shares)
    if not total:
        return signs[3] * width
    cells = [max(1, round(width * share / total)) if share else 0 for share in shares]
    cells[cells.index(max(cells))] += width - sum(cells)
    return "".join(sign * max(0, count) for sign, count in zip(signs, cells, strict=True))


#: Eighths of a cell, from one to seven.
_EIGHTHS: Final = "▏▎▍▌▋▊▉"


def gauge(share: float, width: int) -> str:
    """A share from 0 to 1 as a bar of `width` cells, in eighths of a cell."""
    eighths = max(0, min(8 * width, int(8 * width * share)))
    drawn = "█" * (eighths // 8) + ("", *_EIGHTHS)[eighths % 8]
    return f"{drawn:<{width}}"


def several(number: int, one: str, more: str = "") -> str:
    """`1 item`, `2,000 items`."""
    return f"{number:,} {one if number == 1 else more or one + 's'}"


def count(many: Count, ascii_only: bool = False) -> str:
    """The number, marked as a lower bound if it was capped."""
    return f"{'>=' if ascii_only else '≥'} {many.number:,}" if many.at_least else f"{many.number:,}"


def first_failure(run: Run) -> str:
    """The message of the run's first failure; "" if it has none."""
    return run.failure_summary[0].message if run.failure_summary else ""


def instant(then: dt.datetime | None, zone: str = "") -> str:
    """The instant in UTC, to the second, followed by `zone`: the one time zone that all on call share. "" for None."""
    if then == NO_TIME:
        return UNREADABLE
    return f"{then.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S}{zone}" if then else ""


def items(counts: Counts | None) -> str:
    """A run's counts in words; "" if it has none."""
    if counts is None:
        return ""
    return f"{counts.total} in all, {counts.success} done, {counts.failed} failed, {counts.skipped} skipped"
