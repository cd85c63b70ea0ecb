"""The errors that opsmon shows to people: one tree with one root.

Each class has a stable dotted `code` that scripts and failure summaries match on, an exit code for the command line, and a
docstring whose first line is the default message. An instance's text is one line: what happened, and what to do about it.
Errors are rendered in one place: the command line's last `except`, or a toast.
"""

from __future__ import annotations

from typing import ClassVar


class OpsmonError(Exception):
    """opsmon could not do what was asked."""

    code: ClassVar[str] = "opsmon.error"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str | None = None, hint: str | None = None) -> None:
        self.message = message or (type(self).__doc__ or "").strip().splitlines()[0]
        self.hint = hint
        super().__init__(f"{self.message}: {hint}" if hint else self.message)


class InputInvalid(OpsmonError):
    """What was given cannot be used."""

    code = "input.invalid"
    exit_code = 2


class FilterInvalid(InputInvalid):
    """A filter cannot be parsed. `start` and `end` delimit the invalid term in its line, in characters."""

    def __init__(self, message: str, hint: str | None = None, start: int = 0, end: int = 0) -> None:
        self.start, self.end = start, end
        super().__init__(message, hint)


class NotFound(OpsmonError):
    """There is no such thing, or none that you may know of."""

    code = "access.not_found"
    exit_code = 3


class Forbidden(OpsmonError):
    """Your role does not allow this."""

    code = "access.forbidden"
    exit_code = 3


class RunChanged(OpsmonError):
    """The run is no longer in the state in which this was possible."""

    code = "run.changed"


class DatabaseAway(OpsmonError):
    """The database does not answer."""

    code = "database.away"


class DatabaseReadOnly(DatabaseAway):
    """The database only reads."""

    code = "database.read_only"


class DatabaseGone(DatabaseAway):
    """The database is not there any more, or another one is in its place."""

    code = "database.gone"


class SchemaMismatch(OpsmonError):
    """The database's schema is not the one this program needs."""

    code = "database.schema"


class QueueUnavailable(OpsmonError):
    """The queue did not take the message."""

    code = "queue.dispatch_failed"


class WorkerUnknown(OpsmonError):
    """This worker is not in the database: an older one is in its place."""

    code = "worker.unknown"


class RunEnded(OpsmonError):
    """This worker no longer owns the run: it was completed by somebody else, or its deadline has passed."""

    code = "run.ended"


class OperationFailed(OpsmonError):
    """An operation failed for a reason that it knows; `code` is the failure's code in the run.

    An operation, or a function that it calls, raises this to end the run with that code and message.
    """

    def __init__(self, code: str, message: str, hint: str | None = None) -> None:
        self.failure_code = code
        super().__init__(message, hint)
