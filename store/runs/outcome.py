"""What a run's counts say about its outcome, and its failures in a bounded summary."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from store.model.records import Counts, Failure, Outcome
from store.sanitizer.sanitize import sanitize

#: Our own words for the codes that we produce. A code that is not here (a plug-in's) stands with its detail alone.
FAILURE_MESSAGES: Final = {
    "graph.throttled": "Microsoft Graph throttled the requests",
    "graph.forbidden": "Microsoft Graph refused: the app lacks a permission",
    "graph.unauthorized": "Microsoft Graph did not accept the credentials",
    "graph.not_found": "Microsoft Graph does not know the object",
    "graph.unavailable": "Microsoft Graph could not be reached",
    "queue.dispatch_failed": "The run could not be queued",
    "worker.lost": "The worker died or lost the database",
    "worker.stopped": "The worker was stopped before the run was done",
    "operation.timeout": "The operation took longer than it may",
    "operation.unknown": "No worker knows this type of operation",
    "operation.incomplete": "Not every item was accounted for",
    "operation.error": "The operation failed",
    "input.invalid": "The parameters are not valid",
}
_CODE: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
MAX_FAILURES: Final = 50
_REST: Final = ("operation.error", "… and failures of more kinds than are kept")
MAX_DETAIL: Final = 200


def derive_outcome(counts: Counts | None, *, raised: bool = False) -> Outcome:
    """Every item done or skipped: succeeded. Some done, some failed: partially succeeded. None done and one failed, or an
    exception before anything was done: failed. Items that were announced and never dealt with count as failed.
    """
    counts = counts or Counts()
    wrong = raised or counts.failed > 0 or counts.done < counts.total
    if not wrong:
        return Outcome.SUCCEEDED
    return Outcome.PARTIALLY_SUCCEEDED if counts.success > 0 else Outcome.FAILED


def failure(code: str, detail: object = "", count: int = 1) -> Failure:
    """A failure that may be stored: our words for the code, then at most 200 sanitized characters of detail."""
    code = str(code)  # a plug-in need not be type-checked
    if not (len(code) <= 60 and _CODE.fullmatch(code)):
        code = "operation.error"
    words, told = FAILURE_MESSAGES.get(code), sanitize(str(detail), MAX_DETAIL)
    message = f"{words}: {told}" if words and told else words or told or code
    return Failure(code, message, count)


def add_failure(failures: dict[tuple[str, str], int], new: Failure) -> None:
    """Count `new` in. The list is bounded: past 48 kinds, what is new is counted as one more of an honest rest.

    The 50th place is kept for what ends the run: see `add_last_failure`.
    """
    key = (new.code, new.message)
    if key not in failures and len(failures) >= MAX_FAILURES - 2:
        key = _REST
    failures[key] = failures.get(key, 0) + new.count


def add_last_failure(failures: dict[tuple[str, str], int], last: Failure) -> None:
    """Count in what ended the run, which is always named."""
    key = (last.code, last.message)
    failures[key] = failures.get(key, 0) + last.count


def summary(failures: dict[tuple[str, str], int]) -> tuple[Failure, ...]:
    return tuple(Failure(code, message, count) for (code, message), count in failures.items())


def as_json(failures: Iterable[Failure]) -> list[dict[str, object]] | None:
    return [item.as_json() for item in failures] or None
