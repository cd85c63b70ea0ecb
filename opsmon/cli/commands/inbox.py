"""`opsmon notifications`: prints the user's notifications."""

from __future__ import annotations

import argparse
import dataclasses

from opsmon.cli.commands.session import Session
from opsmon.listing import Column, Listing
from opsmon.output import as_json
from store.model.records import Notification
from store.people import notifications as store


def notifications(session: Session, arguments: argparse.Namespace) -> int:
    """Print the unread notifications, or all of them. Returns the exit code."""
    user = session.user
    with session.db.read() as connection:
        found = (store.inbox if arguments.all else store.unread)(connection, user.id)
    session.output.rows(
        notifications_listing("No notifications." if arguments.all else "No unread notifications."), found
    )
    return 0


def notifications_listing(empty: str) -> Listing[Notification]:
    """The list of notifications; `empty` is said if there is none."""
    return Listing(
        (
            Column("run_id", "RUN", lambda one: one.run_id, is_number=True),
            Column("created_at", "AT", lambda one: one.created_at, drop=2),
            Column("read_at", "", lambda one: "" if one.read_at else "new", drop=3),
            Column("title", "WHAT", lambda one: one.title, is_name=True),
            Column("body", "HOW", lambda one: one.body, drop=1, is_name=True),
            Column("id", "ID", lambda one: one.id, is_wide=True, is_number=True),
            Column("kind", "KIND", lambda one: one.kind, is_wide=True),
        ),
        as_json,
        empty,
        fields=tuple(one.name for one in dataclasses.fields(Notification)),
    )
