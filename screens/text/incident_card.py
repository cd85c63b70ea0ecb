"""The incident card: a run as plain text for a ticket, and the file to save it in.

Imports no Textual, because a command prints cards, too.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import textwrap
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from screens.text import explain
from screens.text import format as fmt
from store.model.records import Run
from store.runs.detail import RunDetail
from store.sanitizer.sanitize import visible

WIDTH: Final = 72
#: Maximum numbers of log lines (the last ones), of lines for one text, and of parameters.
LAST: Final = 20
MOST_LINES: Final = 12
MOST_PARAMETERS: Final = 40
#: Number of file names tried before saving fails.
MOST_FILES: Final = 999


def card(detail: RunDetail, now: dt.datetime, database: str, user: str) -> str:
    """The run in printable ASCII, at most WIDTH columns wide. Deterministic: the same run at the same instant gives the
    same text.
    """
    run = detail.run
    parts = [
        [line for name, value in _facts(detail, now) for line in _lines(f"{name + ':':<13}", value, " " * 13)],
        _section("Failures", (f"{f.count} x {f.code}: {f.message}" for f in run.failure_summary)),
        _section("Parameters", _parameters(run)),
        _section("Waits", (f"{fact.name}: {fact.words}" for fact in explain.why_it_waits(detail, (), now)
                           if run.held or fact.name in ("Waits for", "Position"))),
        _section(f"Log, last {LAST} lines", _log(detail)),
        _section("Attempts", map(_attempt, detail.attempts if len(detail.attempts) > 1 else ())),
    ]  # fmt: skip
    title = _ascii(f"{run.title} in {run.tenant}: {fmt.label(run)}")
    head = textwrap.wrap(title, WIDTH)[:2] or ["run"]
    end = _lines("", f"opsmon, {fmt.instant(now, ' UTC')}, by {user}, from {database}", "")
    return "\n".join([*head, "=" * max(map(len, head)), *(line for part in parts for line in part), "", *end]) + "\n"


def _section(heading: str, texts: Iterable[str]) -> list[str]:
    lines = [line for text in texts for line in _lines("  ", text, "      ")]
    return ["", heading, *lines] if lines else []


def _lines(first: str, text: str, further: str) -> list[str]:
    """The text after the prefix `first`, wrapped; further lines start with `further`. At most MOST_LINES lines."""
    wrapped = textwrap.wrap(
        _ascii(text), WIDTH, initial_indent=first, subsequent_indent=further, break_on_hyphens=False
    )
    return wrapped if len(wrapped) <= MOST_LINES else [*wrapped[: MOST_LINES - 1], f"{further}[...]"]


def _ascii(text: str) -> str:
    """The text in printable ASCII: accents are dropped, and other characters become backslash escapes."""
    plain = unicodedata.normalize("NFKD", visible(text))
    return (
        "".join(char for char in plain if not unicodedata.combining(char)).encode("ascii", "backslashreplace").decode()
    )


def _facts(detail: RunDetail, now: dt.datetime) -> Iterator[tuple[str, str]]:
    run, took = detail.run, fmt.elapsed(detail.run, now)
    facts = [
        ("Run", str(run.id)),
        ("Type", run.type),
        ("Tenant", f"{run.tenant_name} ({run.tenant})"),
        ("State", explain.state_of(detail)),
        ("Started by", run.initiator_name),
        ("Created", fmt.instant(run.created_at, " UTC")),
        ("Started", fmt.instant(run.started_at, " UTC")),
        ("Completed", fmt.instant(run.completed_at, " UTC")),
        ("Took" if run.completed_at else "Running for", "" if took is None else fmt.span(took)),
        ("Items", fmt.items(run.summary_counts)),
        ("Retry of", str(run.retry_of_id or "")),
        ("Worker", explain.name_of(detail.worker) if detail.worker else str(run.worker_id or "")),
    ]
    explained = [fact for fact in (explain.usual(detail, now), explain.clock(detail)) if fact]
    names = {fact.name for fact in explained}
    facts = [fact for fact in facts if fact[0] not in names] + [(fact.name, fact.words) for fact in explained]
    yield from ((name, value) for name, value in facts if value)


def _parameters(run: Run) -> Iterator[str]:
    """The parameters, then the rest of the run's context."""
    others = {key: value for key, value in (run.context or {}).items() if key != "parameters"}
    entries = [*sorted(run.parameters.items()), *sorted(others.items())]
    for name, value in entries[:MOST_PARAMETERS]:
        yield f"{name} = {value if isinstance(value, str) else json.dumps(value, sort_keys=True)}"
    if len(entries) > MOST_PARAMETERS:
        yield f"and {len(entries) - MOST_PARAMETERS} more"


def _log(detail: RunDetail) -> Iterator[str]:
    for event in detail.events[-LAST:]:
        level = "" if event.level == "info" else f"{event.level}: "
        yield f"{event.at.astimezone(dt.UTC):%H:%M:%S} {level}{event.message}"


def _attempt(run: Run) -> str:
    return f"{run.id}, {fmt.instant(run.created_at, ' UTC')}: {fmt.label(run)}, by {run.initiator_name}"


def save(text: str, run_id: int, folder: Path) -> Path:
    """Write the card to a new file, readable by its owner alone. Returns its path; raises OSError.

    Never overwrites a file: the name gets a number instead.
    """
    for number in range(1, MOST_FILES + 1):
        path = folder / (f"opsmon-run-{run_id}.txt" if number == 1 else f"opsmon-run-{run_id}-{number}.txt")
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            continue
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(text)
        except OSError:
            path.unlink(missing_ok=True)
            raise
        return path
    raise FileExistsError(f"there are {MOST_FILES} cards of run {run_id} here already")
