"""Acknowledges runs that went wrong: somebody has seen it, says so with a note, and the tab Failed no longer shows it.

An acknowledgement changes nothing of the run: status, outcome, failures and `updated_at` stay as they are. A retry is a new
run, which nobody has acknowledged.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa

from store.db.engine import Database
from store.errors import InputInvalid
from store.model.records import Acknowledgement, Outcome, Status, User
from store.model.tables import memberships, operation_runs, run_acknowledgements, users
from store.model.types import wall_clock
from store.people import audit
from store.people.access import Right, Role
from store.sanitizer.sanitize import sanitize

#: The longest note, in characters; the table's CHECK has the same number.
LONGEST_NOTE: Final = 500
#: Runs in one transaction, and runs in one call.
_AT_ONCE: Final = 200
MOST: Final = 5_000

_run, _ack = operation_runs.c, run_acknowledgements.c


class Verdict(StrEnum):
    """What became of one run."""

    DONE = "done"
    #: Somebody, perhaps the user, has acknowledged it already; or, to take back, nobody has.
    ALREADY = "already"
    #: There is no such run for the user.
    NOT_FOUND = "not_found"
    #: The user's role in its tenant may not.
    FORBIDDEN = "forbidden"
    #: It is not completed, or it went well.
    NOT_FAILED = "not_failed"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one run, and a line that says so."""

    run_id: int
    verdict: Verdict
    words: str
    #: Whose it is now; None if nobody's.
    acknowledgement: Acknowledgement | None = None


@dataclass(frozen=True, slots=True)
class _Seen:
    """A run as it was locked, with the role of the user in its tenant."""

    id: int
    tenant_id: int
    status: str
    outcome: str
    updated_at: dt.datetime
    role: Role
    acknowledgement: Acknowledgement | None


def acknowledge(db: Database, user: User, run_ids: Sequence[int], note: str = "") -> tuple[Receipt, ...]:
    """Acknowledge each of these runs, with the note. Returns a receipt for each, in their order, a number given twice once.

    Of several who acknowledge a run at once, the first one does; the others' receipts say who. The note is sanitized.

    Raises InputInvalid for a note longer than 500 characters or more than 5,000 runs, and DatabaseAway.
    """
    said = _note(note)
    return _each(db, user, run_ids, lambda connection, seen: _acknowledge(connection, user, seen, said))


def unacknowledge(db: Database, user: User, run_ids: Sequence[int]) -> tuple[Receipt, ...]:
    """Take back what was acknowledged, by whomever: the tab Failed shows the runs again. Receipts and errors as above."""
    return _each(db, user, run_ids, lambda connection, seen: _take_back(connection, user, seen))


def read(connection: sa.Connection, run_id: int) -> Acknowledgement | None:
    """Who acknowledged the run, when, and with what note; None if nobody has. Checks no right."""
    return _read(connection, [run_id]).get(run_id)


# ---- one call


def _note(note: str) -> str:
    if len(note) > LONGEST_NOTE:
        raise InputInvalid(f"the note has {len(note)} characters", f"write at most {LONGEST_NOTE}")
    return sanitize(note, LONGEST_NOTE)


def _each(db: Database, user: User, run_ids: Sequence[int], change: Any) -> tuple[Receipt, ...]:
    wanted = tuple(dict.fromkeys(run_ids))
    if len(wanted) > MOST:
        raise InputInvalid(f"these are {len(wanted)} runs", f"name at most {MOST}")
    receipts: dict[int, Receipt] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        batch = wanted[start : start + _AT_ONCE]
        with db.write() as connection:
            seen = _lock(connection, user.id, batch)
            receipts |= {one.run_id: one for one in change(connection, list(seen.values()))}
        missing = set(batch) - set(seen)
        receipts |= {one: Receipt(one, Verdict.NOT_FOUND, f"no run {one}") for one in missing}
    return tuple(receipts[one] for one in wanted)


def _lock(connection: sa.Connection, user_id: int, run_ids: Sequence[int]) -> dict[int, _Seen]:
    """The runs that the user may see, locked in the order of their ids, so that two calls do not wait for each other."""
    query = (
        sa.select(_run.id, _run.tenant_id, _run.status, _run.outcome, _run.updated_at, memberships.c.role)
        .join(memberships, sa.and_(memberships.c.tenant_id == _run.tenant_id, memberships.c.user_id == user_id))
        .where(_run.id.in_(run_ids))
        .order_by(_run.id)
        .with_for_update(of=operation_runs)
    )
    rows = connection.execute(query).all()
    # Read after the lock: what a transaction that was waited for has written is there.
    known = _read(connection, [row.id for row in rows])
    return {row.id: _Seen(*row[:5], Role(row.role), known.get(row.id)) for row in rows}


def _read(connection: sa.Connection, run_ids: Sequence[int]) -> dict[int, Acknowledgement]:
    columns = (_ack.run_id, _ack.user_id, users.c.login, users.c.name, _ack.at, _ack.note)
    query = sa.select(*columns).join(users, users.c.id == _ack.user_id).where(_ack.run_id.in_(run_ids))
    return {row[0]: Acknowledgement(*row) for row in connection.execute(query)}


# ---- acknowledging


def _acknowledge(connection: sa.Connection, user: User, seen: Sequence[_Seen], note: str) -> list[Receipt]:
    refused = {one.id: refusal for one in seen if (refusal := _refusal(one))}
    taken = [one for one in seen if one.id not in refused]
    if taken:
        now: dt.datetime = connection.execute(sa.select(wall_clock())).scalar_one()
        at = max(now, *(one.updated_at for one in taken))  # a run's instants are in the order of what happened
        _set(connection, [one.id for one in taken], at)
        rows = [{"run_id": one.id, "user_id": user.id, "note": note, "at": at} for one in taken]
        connection.execute(sa.insert(run_acknowledgements), rows)
        _audit(connection, user, taken, audit.RUN_ACKNOWLEDGED, note)
    known = _read(connection, [one.id for one in taken])
    done = [Receipt(one.id, Verdict.DONE, f"run {one.id} is acknowledged", known[one.id]) for one in taken]
    return [*refused.values(), *done]


def _refusal(one: _Seen) -> Receipt | None:
    if one.role.rank < Right.START:
        return Receipt(one.id, Verdict.FORBIDDEN, f"run {one.id}: as {one.role} you may not acknowledge it")
    if one.status != Status.COMPLETED or one.outcome not in (Outcome.FAILED, Outcome.PARTIALLY_SUCCEEDED):
        state = "is not completed" if one.status != Status.COMPLETED else "went well"
        return Receipt(one.id, Verdict.NOT_FAILED, f"run {one.id} {state}: there is nothing to acknowledge")
    if known := one.acknowledgement:
        when = f"{known.at:%Y-%m-%d %H:%M} UTC"
        words = f"run {one.id} is acknowledged already, by {known.name} at {when}"
        return Receipt(one.id, Verdict.ALREADY, words, known)
    return None


def _set(connection: sa.Connection, run_ids: Sequence[int], at: dt.datetime | None) -> None:
    connection.execute(sa.update(operation_runs).where(_run.id.in_(run_ids)).values(acknowledged_at=at))


def _audit(connection: sa.Connection, user: User, seen: Sequence[_Seen], action: str, reason: str | None) -> None:
    for one in seen:
        who = {"login": user.login, "user_id": user.id, "tenant_id": one.tenant_id, "run_id": one.id}
        audit.record(connection, action, f"run {one.id}", **who, reason=reason or None)  # type: ignore[arg-type]


# ---- taking back


def _take_back(connection: sa.Connection, user: User, seen: Sequence[_Seen]) -> list[Receipt]:
    refused = {one.id: refusal for one in seen if (refusal := _no_return(one))}
    taken = [one for one in seen if one.id not in refused]
    if taken:
        ids = [one.id for one in taken]
        _set(connection, ids, None)
        connection.execute(sa.delete(run_acknowledgements).where(_ack.run_id.in_(ids)))
        _audit(connection, user, taken, audit.RUN_UNACKNOWLEDGED, None)
    done = [Receipt(one.id, Verdict.DONE, f"run {one.id} is no longer acknowledged") for one in taken]
    return [*refused.values(), *done]


def _no_return(one: _Seen) -> Receipt | None:
    if one.role.rank < Right.START:
        words = f"run {one.id}: as {one.role} you may not take its acknowledgement back"
        return Receipt(one.id, Verdict.FORBIDDEN, words)
    if one.acknowledgement is None:
        return Receipt(one.id, Verdict.ALREADY, f"run {one.id} is not acknowledged")
    return None
