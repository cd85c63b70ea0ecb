"""An audit trail to look at."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from store.people import audit
from store.people.audit import AuditEvent
from store.search.audit_filter import AuditWanted, parse_line
from store.search.audit_page import AuditPage
from tests.screens.conftest import HOSTILE, FakeBackend, a_run, ago


def event(id_: int, action: str, subject: str, **changed: Any) -> AuditEvent:
    made = AuditEvent(
        id_, ago(60.0 * (100 - id_)), "ann", "Ann Alba", "ann@bastion-2", "contoso", action, subject, None, None, None
    )
    return replace(made, **changed)


NOTE = "the tenant's admin consented to nothing yet; told Kim, who looks at it in the morning"
EVENTS = (
    event(9, audit.RUN_ACKNOWLEDGED, "run 995", run_id=995, reason=NOTE),
    event(8, audit.RUN_RETRIED, "run 994", run_id=994, detail={"run": 995}),
    event(7, audit.QUEUE_PAUSED, "queue", tenant=None, login="bob", name="Bob Berg", reason="migration"),
    event(6, audit.ROLE_GRANTED, "bob", detail={"role": "operator", "before": "readonly"}),
    event(5, audit.RESTORE_EXECUTED, "restore 5", tenant="fabrikam", run_id=993, detail={"mode": "dry_run"}),
    event(4, "future.done", HOSTILE, name=HOSTILE, reason=HOSTILE, detail={HOSTILE: [HOSTILE]}),
)
FIRST, OLDER = AuditWanted(), AuditWanted(before=4)
OF_BOB = parse_line("by:bob")


def stage() -> FakeBackend:
    """A first page and an older one, and what Bob did."""
    older = tuple(event(id_, audit.RUN_STARTED, f"run {id_}", run_id=id_) for id_ in (3, 2, 1))
    pages = {
        FIRST: AuditPage(FIRST, EVENTS, 4),
        OLDER: AuditPage(OLDER, older),
        OF_BOB: AuditPage(OF_BOB, EVENTS[2:3]),
        parse_line("run:7"): AuditPage(parse_line("run:7")),
    }
    return FakeBackend((a_run(995), a_run(994), a_run(3)), audit=pages)
