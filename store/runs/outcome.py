"""Derives a run's outcome from its counts, and collects its failures in a bounded summary."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from store.model.records import Counts, Failure, Outcome
from store.sanitizer.sanitize import sanitize

#: The messages for opsmon's own codes. A failure with another code (a plug-in's) has only its detail as message.
FAILURE_MESSAGES: Final = {
    "graph.throttled": "Microsoft Graph throttled the requests",
    "graph.forbidden": "Microsoft Graph refused: the app lacks a permission",
    "graph.unauthorized": "Microsoft Graph did not accept the credentials",
    "graph.not_found": "Microsoft Graph does not know the object",
    "graph.unavailable": "Microsoft Graph could not be reached",
    "graph.unknown": "Microsoft Graph may have carried it out, its answer was lost",
    "graph.approval_required": "Another administrator has to approve the change",
    "graph.sync_expired": "Microsoft Graph no longer knows the state of the last sync",
    "queue.dispatch_failed": "The run could not be queued",
    "worker.lost": "The worker died or lost the database",
    "worker.stopped": "The worker was stopped before the run was done",
    "operation.timeout": "The operation took longer than it may",
    "operation.unknown": "No worker knows this type of operation",
    "operation.incomplete": "Not every item was accounted for",
    "operation.error": "The operation failed",
    "policy.incomplete": "Not everything of the policy could be read",
    "restore.abandoned": "The preview was given up",
    "restore.changed": "It is no longer as it was previewed",
    "restore.not_kept": "Not every assignment could be kept",
    "restore.ambiguous": "It cannot be told which object it is",
    "restore.waits_for_approval": "It waits for another administrator's approval",
    "restore.rejected": "The approval was not given",
    "restore.template_unknown": "The tenant does not know the version of its template",
    "restore.dependency": "What it refers to could not be restored",
    "restore.secret_unreadable": "Microsoft Graph gave a secret of the policy only masked",
    "restore.unknown_value": "The policy has a value that was not known when it was read",
    "restore.actions": "The actions for non-compliance cannot be restored",
    "restore.no_apps": "The target apps of the policy were not read",
    "restore.no_filters": "The filters of the assignments were not read",
    "input.invalid": "The parameters are not valid",
}
_CODE: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
MAX_FAILURES: Final = 50
_REST: Final = ("operation.error", "… and failures of more kinds than are kept")
MAX_DETAIL: Final = 200


def derive_outcome(counts: Counts | None, *, raised: bool = False) -> Outcome:
    """The outcome of a run with these counts; `raised` means that its operation ended with an exception.

    All items succeeded or skipped, and no exception: succeeded. Otherwise partially succeeded if at least one item succeeded, and
    failed if none did. Announced items that were never processed count as failed.
    """
    counts = counts or Counts()
    wrong = raised or counts.failed > 0 or counts.done < counts.total
    if not wrong:
        return Outcome.SUCCEEDED
    return Outcome.PARTIALLY_SUCCEEDED if counts.success > 0 else Outcome.FAILED


def failure(code: str, detail: object = "", count: int = 1) -> Failure:
    """A Failure that is safe to store: the message for the code, then at most MAX_DETAIL sanitized characters of detail.

    A code that is not valid becomes `operation.error`.
    """
    code = str(code)  # a plug-in need not be type-checked
    if not (len(code) <= 60 and _CODE.fullmatch(code)):
        code = "operation.error"
    words, shown = FAILURE_MESSAGES.get(code), sanitize(str(detail), MAX_DETAIL)
    message = f"{words}: {shown}" if words and shown else words or shown or code
    return Failure(code, message, count)


def add_failure(failures: dict[tuple[str, str], int], new: Failure) -> None:
    """Add a failure to the counts by (code, message), which are bounded: beyond 48 kinds, new kinds are counted together.

    The 49th place is for those, and the 50th for the failure that ends the run: see `add_last_failure`.
    """
    key = (new.code, new.message)
    if key not in failures and len(failures) >= MAX_FAILURES - 2:
        key = _REST
    failures[key] = failures.get(key, 0) + new.count


def add_last_failure(failures: dict[tuple[str, str], int], last: Failure) -> None:
    """Add the failure that ended the run, which always has an entry of its own."""
    key = (last.code, last.message)
    failures[key] = failures.get(key, 0) + last.count


def summary(failures: dict[tuple[str, str], int]) -> tuple[Failure, ...]:
    """The failure summary of counts by (code, message), in the order of their first occurrence."""
    return tuple(Failure(code, message, count) for (code, message), count in failures.items())


def as_json(failures: Iterable[Failure]) -> list[dict[str, object]] | None:
    """The value of the column `failure_summary`; None if there are no failures."""
    return [item.as_json() for item in failures] or None
