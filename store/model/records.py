"""The frozen records that `store` returns. Their fields have the names of the tables' columns; they hold no connection."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, NamedTuple

#: Placeholders for a text, and for a failure's code, that cannot be read (see store/model/lenient.py).
UNREADABLE: Final = "unreadable"
NO_CODE: Final = "?"
#: The placeholder for an object that cannot be read. No operation can have a parameter of that name.
UNREADABLE_JSON: Final[Mapping[str, Any]] = {NO_CODE: UNREADABLE}
#: The placeholder for an instant that cannot be read.
NO_TIME: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Status(StrEnum):
    """The status of a run: queued → running → completed, or queued → completed if it was never started."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"


class Outcome(StrEnum):
    """The outcome of a run: PENDING exactly while it is not completed. CANCELLED is reserved; nothing produces it."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    PARTIALLY_SUCCEEDED = "partially_succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


#: The outcomes as people read them.
OUTCOME_LABELS: Final[Mapping[Outcome, str]] = {
    Outcome.PENDING: "Pending",
    Outcome.SUCCEEDED: "Succeeded",
    Outcome.PARTIALLY_SUCCEEDED: "Partially succeeded",
    Outcome.FAILED: "Failed",
    Outcome.CANCELLED: "Cancelled",
}


@dataclass(frozen=True, slots=True)
class Counts:
    """The numbers of items of a run, each ≥ 0."""

    #: The announced number, or the number that was counted if that is higher.
    total: int = 0
    #: Items that succeeded, failed or were skipped.
    success: int = 0
    failed: int = 0
    skipped: int = 0

    @property
    def done(self) -> int:
        """The number of processed items: succeeded, failed or skipped."""
        return self.success + self.failed + self.skipped

    def as_json(self) -> dict[str, int]:
        """The value of the column `summary_counts`."""
        return {"total": self.total, "success": self.success, "failed": self.failed, "skipped": self.skipped}


@dataclass(frozen=True, slots=True)
class Failure:
    """One entry of a failure summary."""

    #: A stable dotted code, such as `graph.throttled`.
    code: str
    #: The message for people, sanitized.
    message: str
    #: How often it happened, ≥ 1 in what this program writes.
    count: int = 1

    def as_json(self) -> dict[str, Any]:
        """One element of the column `failure_summary`."""
        return {"code": self.code, "message": self.message, "count": self.count}


@dataclass(frozen=True, slots=True)
class Tenant:
    """A row of `tenants`: a Microsoft Intune tenant."""

    id: int
    #: The short name in commands and filters: a-z, 0-9 and dashes.
    slug: str
    #: The name for people.
    name: str
    created_at: dt.datetime


@dataclass(frozen=True, slots=True)
class User:
    """A row of `users`."""

    id: int
    #: The login name of the operating system, by which users are recognized.
    login: str
    #: The name for people.
    name: str
    created_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Run:
    """A row of `operation_runs`, with the slug and the name of its tenant. Instants are the database server's, in UTC."""

    id: int
    tenant_id: int
    #: The tenant's slug.
    tenant: str
    tenant_name: str
    #: The initiator; None for the system.
    user_id: int | None
    initiator_name: str
    #: The operation's type, such as `inventory.sync`.
    type: str
    #: The operation's name for people when the run was created.
    label: str | None
    status: Status
    outcome: Outcome
    #: SHA-256 in hex: at most one active run of a tenant has it (store/runs/identity.py).
    run_identity_hash: str
    #: None before the first item is counted, and if it cannot be read.
    summary_counts: Counts | None
    failure_summary: tuple[Failure, ...]
    #: The run that this one retries.
    retry_of_id: int | None
    #: The worker that claimed the run; None before that.
    worker_id: int | None
    #: When the message was queued; None before that.
    dispatched_at: dt.datetime | None
    #: When a worker claimed the run; None before that.
    started_at: dt.datetime | None
    #: None until the run is completed.
    completed_at: dt.datetime | None
    created_at: dt.datetime
    #: The latest change; every change moves it forward.
    updated_at: dt.datetime
    #: Parameters and results as JSON; None also in lists, which do not read this column.
    context: Mapping[str, Any] | None = field(default=None, hash=False)
    #: It is a previewed restore that waits for a person: queued, and yet not to be claimed, rescued or counted as active.
    held: bool = False
    #: When somebody acknowledged that it went wrong; None unless somebody has.
    acknowledged_at: dt.datetime | None = None

    @property
    def title(self) -> str:
        """The label, or the type if there is none."""
        return self.label or self.type

    @property
    def status_words(self) -> str:
        """The status for a sentence: `queued`, `running`, `completed`; `a preview` while the run is held, and not `queued`."""
        return "a preview" if self.held else self.status.value

    @property
    def restore_id(self) -> int | None:
        """The restore that the run carries out, by its context; None if it names none, and in lists, which do not read it."""
        found = (self.context or {}).get("restore_run_id")
        return found if type(found) is int and found > 0 else None

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The parameters of the run. UNREADABLE_JSON, which no operation accepts, if they cannot be read."""
        context = self.context or {}
        found = UNREADABLE_JSON if context == UNREADABLE_JSON else context.get("parameters")
        if found is None:
            return {}
        return dict(found if isinstance(found, Mapping) else UNREADABLE_JSON)


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """A row of `run_acknowledgements`, with the user's login and name."""

    run_id: int
    user_id: int
    login: str
    name: str
    at: dt.datetime
    #: What they wrote: one line, sanitized, often empty.
    note: str


@dataclass(frozen=True, slots=True)
class LogLine:
    """A row of `run_events`: a log line of a run."""

    id: int
    at: dt.datetime
    #: debug, info, warning or error.
    level: str
    #: One line, sanitized.
    message: str


@dataclass(frozen=True, slots=True)
class Notification:
    """A row of `notifications`, with the present outcome of its run."""

    id: int
    run_id: int
    #: The recipient: the run's initiator.
    user_id: int
    #: queued or completed.
    kind: str
    title: str
    body: str
    created_at: dt.datetime
    #: None while it is unread.
    read_at: dt.datetime | None
    #: The run's outcome. It is final in a notification of the kind `completed`.
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Worker:
    """A row of `workers`: a worker process. Instants are by the database's clock."""

    id: int
    host: str
    pid: int
    #: The version of opsmon that it runs.
    version: str
    #: How many runs it carries out at once.
    slots: int
    #: The slots that hold an operation which did not end at its deadline.
    stuck_slots: int
    #: Whether it belongs to the screens of a single login (opsmon/embedded/).
    embedded: bool
    started_at: dt.datetime
    #: The last heartbeat.
    beat_at: dt.datetime
    #: When it shut down in good order; None otherwise.
    stopped_at: dt.datetime | None
    #: Seconds from the last heartbeat to the time of reading.
    beat_age: float
    #: The number of runs in flight; 0 where that was not counted.
    running: int = 0


#: Counts are exact up to this number; above it, they are "at least".
COUNT_CAP: Final = 1000


class Count(NamedTuple):
    """A count that may be capped."""

    number: int
    #: Whether the count stopped at the cap: there are more than `number`.
    at_least: bool = False
