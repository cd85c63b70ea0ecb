"""What crosses the line out of `store`: frozen records with the names of the tables' columns, and no database behind them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, NamedTuple

#: What stands in the place of a text, and of a failure's code, that cannot be read (see store/model/lenient.py).
UNREADABLE: Final = "unreadable"
NO_CODE: Final = "?"
#: What stands in the place of an object that cannot be read. No operation has a parameter of that name.
UNREADABLE_JSON: Final[Mapping[str, Any]] = {NO_CODE: UNREADABLE}
#: What stands in the place of an instant that cannot be read.
NO_TIME: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Status(StrEnum):
    """Where a run is in its life: queued → running → completed, or queued → completed when it was never started."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"


class Outcome(StrEnum):
    """What came of a run. PENDING exactly while it is not completed; CANCELLED is reserved and produced nowhere."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    PARTIALLY_SUCCEEDED = "partially_succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


OUTCOME_LABELS: Final[Mapping[Outcome, str]] = {
    Outcome.PENDING: "Pending",
    Outcome.SUCCEEDED: "Succeeded",
    Outcome.PARTIALLY_SUCCEEDED: "Partially succeeded",
    Outcome.FAILED: "Failed",
    Outcome.CANCELLED: "Cancelled",
}


@dataclass(frozen=True, slots=True)
class Counts:
    """Items of a run, whole numbers ≥ 0. `total` is what was announced, or what was counted if that is more."""

    total: int = 0
    success: int = 0
    failed: int = 0
    skipped: int = 0

    @property
    def done(self) -> int:
        """Items that were dealt with in whatever way."""
        return self.success + self.failed + self.skipped

    def as_json(self) -> dict[str, int]:
        return {"total": self.total, "success": self.success, "failed": self.failed, "skipped": self.skipped}


@dataclass(frozen=True, slots=True)
class Failure:
    """One line of a failure summary: a stable dotted code, a sanitized message, and how often it happened."""

    code: str
    message: str
    count: int = 1

    def as_json(self) -> dict[str, Any]:
        return {"code": self.code, "message": self.message, "count": self.count}


@dataclass(frozen=True, slots=True)
class Tenant:
    id: int
    slug: str
    name: str
    created_at: dt.datetime


@dataclass(frozen=True, slots=True)
class User:
    id: int
    login: str
    name: str
    created_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Run:
    """A row of `operation_runs` beside its tenant's names. `context` is None in lists, which do not read it."""

    id: int
    tenant_id: int
    tenant: str
    tenant_name: str
    user_id: int | None
    initiator_name: str
    type: str
    label: str | None
    status: Status
    outcome: Outcome
    run_identity_hash: str
    summary_counts: Counts | None
    failure_summary: tuple[Failure, ...]
    retry_of_id: int | None
    worker_id: int | None
    dispatched_at: dt.datetime | None
    started_at: dt.datetime | None
    completed_at: dt.datetime | None
    created_at: dt.datetime
    updated_at: dt.datetime
    context: Mapping[str, Any] | None = field(default=None, hash=False)

    @property
    def title(self) -> str:
        """The operation's name for people, as it was when the run was opened."""
        return self.label or self.type

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What the run was started with; UNREADABLE_JSON, which no operation takes, when that cannot be read."""
        context = self.context or {}
        found = UNREADABLE_JSON if context == UNREADABLE_JSON else context.get("parameters")
        if found is None:
            return {}
        return dict(found if isinstance(found, Mapping) else UNREADABLE_JSON)


@dataclass(frozen=True, slots=True)
class LogLine:
    id: int
    at: dt.datetime
    level: str
    message: str


@dataclass(frozen=True, slots=True)
class Notification:
    """A row of `notifications`, and how the run stands that it is about: that does not change once it was told to be completed."""

    id: int
    run_id: int
    user_id: int
    kind: str
    title: str
    body: str
    created_at: dt.datetime
    read_at: dt.datetime | None
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker process. `alive` and `beat_age` (seconds) are as of the database's clock when this was read."""

    id: int
    host: str
    pid: int
    version: str
    slots: int
    stuck_slots: int
    embedded: bool
    started_at: dt.datetime
    beat_at: dt.datetime
    stopped_at: dt.datetime | None
    beat_age: float
    running: int = 0


#: Counts are exact up to here; above, they are "at least".
COUNT_CAP: Final = 1000


class Count(NamedTuple):
    """How many: exactly, or at least."""

    number: int
    at_least: bool = False
