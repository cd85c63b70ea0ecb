"""`opsmon audit`: prints the audit trail, newest first."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from typing import Any

from opsmon.cli.commands.session import Session
from opsmon.output import table
from store.people import access
from store.people.audit import AuditEvent
from store.search import audit_page
from store.search.audit_filter import parse


def audit(session: Session, arguments: argparse.Namespace) -> int:
    """Print the events that match the filter, of the user's tenants. Returns the exit code."""
    wanted, user = replace(parse(arguments.filters), limit=arguments.limit), session.user
    with session.db.read() as connection:
        members = access.read_memberships(connection, user.id)
        page = audit_page.page(connection, members, user.id, wanted)
    session.output.show(page.events, lambda: _table(page.events) if page.events else "No events.")
    if page.looked_back_to:
        sys.stdout.flush()
        at = page.looked_back_to.isoformat(timespec="seconds")
        sys.stderr.write(f"opsmon: looked back to {at} only: older events may match, too\n")
    return 0


def _table(events: tuple[AuditEvent, ...]) -> str:
    headings = ("AT", "WHO", "FROM", "TENANT", "WHAT", "SUBJECT", "DETAIL", "REASON")
    rows = [
        (e.at, e.login, e.origin, e.tenant or "-", e.action, e.subject, _detail(e.detail), e.reason or "")
        for e in events
    ]
    return table(headings, rows)


def _detail(detail: Any) -> str:
    if not isinstance(detail, dict):
        return "" if detail is None else json.dumps(detail, ensure_ascii=False)
    return " ".join(f"{key}={value}" for key, value in detail.items())
