"""`opsmon audit`: prints the audit trail, newest first."""

from __future__ import annotations

import argparse
import dataclasses
from typing import Final

from opsmon.cli.commands.session import Session
from opsmon.cli.commands.watching import tell
from opsmon.listing import Column, Listing
from opsmon.output import as_json
from screens.text import audit_words
from store.people import access
from store.people.audit import AuditEvent
from store.search import audit_page
from store.search.audit_filter import parse


def audit(session: Session, arguments: argparse.Namespace) -> int:
    """Print the events that match the filter, of the user's tenants. Returns the exit code."""
    wanted, user = dataclasses.replace(parse(arguments.filters), limit=arguments.limit), session.user
    with session.db.read() as connection:
        members = access.read_memberships(connection, user.id)
        page = audit_page.page(connection, members, user.id, wanted)
    session.output.rows(EVENTS, page.events)
    if page.looked_back_to:
        tell(f"looked back to {page.looked_back_to.isoformat(timespec='seconds')} only: older events may match, too")
    return 0


#: The list of events.
EVENTS: Final[Listing[AuditEvent]] = Listing(
    (
        Column("at", "AT", lambda event: event.at),
        Column("login", "WHO", lambda event: event.login, is_name=True),
        Column("origin", "FROM", lambda event: event.origin, 6, is_name=True),
        Column("tenant", "TENANT", lambda event: event.tenant or "-", 2, is_name=True),
        Column("what", "WHAT", lambda event: audit_words.action(event.action), is_name=True),
        Column("action", "ACTION", lambda event: event.action, 4),
        Column("subject", "SUBJECT", lambda event: event.subject, 1, is_name=True),
        Column("detail", "DETAIL", lambda event: audit_words.detail(event.detail), 5, is_name=True),
        Column("reason", "REASON", lambda event: event.reason or "", 3, is_name=True),
    ),
    as_json,
    "No events.",
)
