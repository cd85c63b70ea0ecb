"""Pictures of one run's screen, and of its card, in the states that people on call meet. Look at them when they change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from store.model.records import Acknowledgement, Counts, Failure, LogLine, Outcome, Status
from store.people import audit
from store.people.audit import AuditEvent
from store.runs.detail import QueuePosition, TypicalDuration
from store.workers.pause import QueuePause
from tests.screens.conftest import HOSTILE, WORKER, FakeBackend, a_run, ago, hostile_run
from tests.screens.pictures import Picture

BUSY = replace(WORKER, running=4)
USUAL = TypicalDuration(tuple(float(seconds) for seconds in range(20, 107)))
QUEUED = a_run(995, Outcome.PENDING, Status.QUEUED, dispatched_at=ago(290))
BEHIND = QueuePosition(3, 754.0, 981)
RUNNING = a_run(
    994, Outcome.PENDING, Status.RUNNING, summary_counts=Counts(40, 11, 1), started_at=ago(75),
    context={
        "parameters": {"kinds": ["compliance", "settings"], "since": None, "note": "a long remark " * 12},
        "backup_set_id": 17,
        "requests": {"first": "0f3c", "list": [{"id": n, "path": f"/deviceManagement/{n}"} for n in range(20)]},
    },
)  # fmt: skip
FAILURES = (
    Failure("graph.forbidden", "Microsoft Graph refused: scope tags of the policy 'Baseline for kiosks' in Kraków", 4),
    Failure("graph.throttled", "Throttled", 2),
)
LOG = tuple(
    LogLine(n, ago(74 - n), "warning" if n % 5 == 4 else "info", f"policy {n}: compared with what was seen")
    for n in range(30)
)


def _attempt(id_: int, kinds: object, **changed: Any) -> Any:
    return a_run(id_, Outcome.FAILED, context={"parameters": {"kinds": kinds, "dry_run": False}}, **changed)


FIRST = _attempt(981, None, failure_summary=FAILURES)
SECOND = _attempt(985, ["settings"], retry_of_id=981, failure_summary=FAILURES)
THIRD = a_run(990, context={"parameters": {"kinds": ["settings"], "dry_run": True}}, retry_of_id=985)
TRACE = (
    "ValueError, raised in",
    "tasks/operations/probe.py:88 probe",
    "tasks/operations/probe.py:131 _zone",
    "(4 frames are left out)",
    "httpx/_client.py:914 send",
    "because of TimeoutError, raised in",
    "httpx/_transports/default.py:118 map_httpcore_exceptions",
)
FAILED = a_run(
    988, Outcome.FAILED, label="Probe", type="system.probe", summary_counts=Counts(3, 0, 3),
    failure_summary=(Failure("operation.error", "ValueError: zone refused the transfer", 1),),
)  # fmt: skip
RAISED_LOG = (
    LogLine(1, ago(700), "info", "zone a: probe"), LogLine(2, ago(699), "error", "zone a: refused"),
    *(LogLine(3 + n, ago(690), "error", line) for n, line in enumerate(TRACE)),
)  # fmt: skip
RAISED = FakeBackend((FAILED,), events=RAISED_LOG, detail={"worker": WORKER})
NOTE = "consent is missing; told Kim"
SEEN_TO = replace(
    RAISED,
    runs=(replace(FAILED, acknowledged_at=ago(300)),),
    detail={
        "worker": WORKER,
        "acknowledgement": Acknowledgement(988, 2, "bob", "Bob Berg", ago(300), NOTE),
        "audit": (
            AuditEvent(
                7, ago(300), "bob", "Bob Berg", "bob@b", "contoso", audit.RUN_ACKNOWLEDGED, "run 988", 988, None, NOTE
            ),
        ),
    },
)

STAGES: dict[str, tuple[FakeBackend, tuple[str, ...]]] = {
    "queued_behind_others": (FakeBackend((QUEUED,), workers=(BUSY,), detail={"waiting": BEHIND, "usual": USUAL}), ()),
    "queued_without_a_worker": (FakeBackend((QUEUED,), workers=(), detail={"waiting": QueuePosition()}), ()),
    "queued_in_a_paused_queue": (
        FakeBackend((QUEUED,), detail={"waiting": replace(BEHIND, pause=QueuePause("bob", "Bob Berg", ago(250)))}),
        (),
    ),
    "running": (FakeBackend((RUNNING,), events=LOG[:3], detail={"worker": WORKER, "usual": USUAL}), ()),
    "running_with_a_silent_worker": (
        FakeBackend(
            (RUNNING,),
            events=LOG[:3],
            detail={"worker": replace(WORKER, beat_age=24.0), "usual": USUAL, "silences": {RUNNING.id: 24.0}},
        ),
        (),
    ),
    "running_and_followed": (FakeBackend((RUNNING,), events=LOG, detail={"worker": WORKER}), ("f",)),
    "parameters_with_the_cursor": (FakeBackend((RUNNING,), detail={"worker": WORKER}), ("G", "tab", "tab", "enter")),
    "parameters_all_unfolded": (FakeBackend((RUNNING,), detail={"worker": WORKER}), ("z", *"jjjjjjjjjjjjj")),
    "partial_with_failures": (
        FakeBackend(
            (a_run(992, Outcome.PARTIALLY_SUCCEEDED, summary_counts=Counts(40, 30, 6, 4), failure_summary=FAILURES),),
            events=LOG[:4],
            detail={"worker": WORKER, "usual": USUAL},
        ),
        (),
    ),
    "failed_with_attempts": (
        FakeBackend(
            (THIRD, SECOND, FIRST), detail={"twin": a_run(991, Outcome.PENDING, Status.QUEUED), "worker": WORKER}
        ),
        ("j", "enter", "G"),
    ),
    "acknowledged": (SEEN_TO, ()),
    "watched": (FakeBackend((replace(RUNNING, user_id=2, initiator_name="Bob Berg"),), detail={"watched": True}), ()),
    "where_it_failed": (SEEN_TO, ("tab", "enter")),
    "searched": (SEEN_TO, ("slash", *"probe", "enter", "n")),
    "acknowledging": (RAISED, ("a", *"seen, Kim looks at it")),
    "hostile": (FakeBackend((hostile_run(),), events=(LogLine(1, ago(60), "error", HOSTILE),)), ("z",)),
    "card": (FakeBackend((SECOND, FIRST), events=LOG, detail={"worker": WORKER, "usual": USUAL}), ("enter", "c")),
}


@pytest.mark.parametrize("name", STAGES)
def test_run(name: str, picture: Picture) -> None:
    stage, keys = STAGES[name]
    first = () if keys[:1] == ("enter",) or keys[:2] == ("j", "enter") else ("enter",)
    assert picture(stage, *first, *keys, in_ascii=name in ("running_and_followed", "card"))


def test_without_colour(picture: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    stage, keys = STAGES["running_with_a_silent_worker"]
    assert picture(stage, "enter", *keys, sizes=((80, 24),))
