"""`opsmon queue`: shows waiting runs and the pause. Pausing and resuming are for owners."""

from __future__ import annotations

import argparse
from typing import Any

from opsmon.cli.commands.session import Session
from opsmon.output import as_json, cell
from screens.text.format import instant, span
from store.workers import pause as queue_pause
from store.workers import queue_depth
from store.workers.pause import QueuePause
from store.workers.queue_depth import QueueDepth


def queue(session: Session, arguments: argparse.Namespace) -> int:
    """Pause or resume the queue if asked to, then print its state. Returns the exit code.

    Raises Forbidden if a user who owns no tenant asks for a pause or its end.
    """
    if arguments.action == "pause":
        queue_pause.pause(session.db, session.user)
    elif arguments.action == "resume":
        queue_pause.resume(session.db, session.user)
    else:
        session.user  # noqa: B018 (raises for someone who is not a user, as every other list does)
    waiting = queue_depth.waiting(session.db, session.user.id)
    with session.db.read_one() as connection:
        pause = queue_pause.current(connection)
    session.output.show(_as_json(waiting, pause), lambda: f"{_depth(waiting)}\n{_state(pause)}")
    return 0


def _as_json(waiting: QueueDepth, pause: QueuePause | None) -> dict[str, Any]:
    """The runs waiting in the user's own tenants, and the pause. `queued` is exact unless `at_least` is true."""
    return {
        "queued": waiting.count.number,
        "at_least": waiting.count.at_least,
        "oldest_seconds": waiting.oldest,
        "paused": pause is not None,
        "paused_by": pause.login if pause else None,
        "paused_at": as_json(pause.paused_at) if pause else None,
    }


def _depth(waiting: QueueDepth) -> str:
    number, at_least = waiting.count
    many = f"at least {number:,}" if at_least else str(number or "No")
    oldest = "" if waiting.oldest is None else f", the oldest for {span(waiting.oldest)}"
    return f"{many} run{'' if number == 1 else 's'} waiting in your tenants{oldest}."


def _state(pause: QueuePause | None) -> str:
    if pause is None:
        return "Workers take messages."
    paused = f"Paused by {cell(pause.login)} at {instant(pause.paused_at, 'Z')}"
    return f"{paused}: workers start nothing; 'opsmon queue resume' ends it."
