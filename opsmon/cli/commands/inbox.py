"""`opsmon notifications`: prints the user's notifications."""

from __future__ import annotations

import argparse

from opsmon.cli.commands.session import Session
from opsmon.output import table
from store.people import notifications as store


def notifications(session: Session, arguments: argparse.Namespace) -> int:
    """Print the unread notifications, or all of them. Returns the exit code."""
    user = session.user
    with session.db.read() as connection:
        found = (store.inbox if arguments.all else store.unread)(connection, user.id)
    rows = [(n.run_id, n.created_at, "" if n.read_at else "new", n.title, n.body) for n in found]
    session.output.show(
        found,
        lambda: (
            table(("RUN", "AT", "", "WHAT", "HOW"), rows, right=[0])
            if rows
            else f"No {'' if arguments.all else 'unread '}notifications."
        ),
    )
    return 0
