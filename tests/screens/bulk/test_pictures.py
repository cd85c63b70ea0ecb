"""Pictures of a bulk retry: its dry run, under way, waiting, stopped and ended with every kind of receipt. Look at them."""

from __future__ import annotations

from typing import Any

import pytest

from screens.bulk.screen import BulkScreen
from screens.bulk_retry import BulkRetry, Item, Kind, Phase
from screens.monitor import Monitor
from store.model.records import Outcome
from tests.screens.conftest import HOSTILE, NEVER, FakeBackend, a_run, hostile_run, until
from tests.screens.pictures import Picture

FORBIDDEN = "as readonly of fabrikam you may not start or retry runs: ask an owner of fabrikam"
RUNNING = "run 7 is running: only a completed run can be retried"
MATCH = "all 5,000 that match outcome:failed type:inventory.*"


def _items(*kinds: tuple[Kind, str, int | None]) -> list[Item]:
    return [
        Item(n, kind, a_run(n, Outcome.FAILED, tenant="fabrikam" if n % 3 else "contoso"), words, new)
        for n, (kind, words, new) in enumerate(kinds, 1001)
    ]


FINE = (Kind.ELIGIBLE, "", None)
REHEARSED = _items(
    FINE, FINE, (Kind.JOINS, "run 977 is active", 977), FINE, (Kind.JOINS, "the same as run 1002 of this list", None),
    (Kind.FORBIDDEN, "you may not start or retry runs in fabrikam", None), (Kind.REFUSED, RUNNING, None),
    (Kind.REFUSED, "parameter 'kinds' cannot be 'gone': give one of compliance, settings", None), FINE,
)  # fmt: skip
ENDED = _items(
    (Kind.QUEUED, "", 2001), (Kind.QUEUED, "", 2002), (Kind.ATTACHED, "", 977), (Kind.FORBIDDEN, FORBIDDEN, None),
    (Kind.REFUSED, RUNNING, None), (Kind.DISPATCH_FAILED, "Not queued: the queue did not answer in time", 2003),
    (Kind.NOT_TRIED, "run 978 is active", 978), (Kind.NOT_TRIED, "stopped before its turn", None),
)  # fmt: skip
LONG = _items(*[(Kind.QUEUED, "", 3000 + n) if n < 1204 else FINE for n in range(5000)])
HOSTILE_ITEMS = [
    Item(1, Kind.REFUSED, hostile_run(1), HOSTILE),
    Item(2, Kind.ELIGIBLE, hostile_run(2)),
    Item(3, Kind.REFUSED, None, HOSTILE),
]

#: Items, phase, words, trouble, keys.
STATES: dict[str, tuple[list[Item], Phase, str, str, tuple[str, ...]]] = {
    "looking": ([Item(n) for n in range(1001, 1013)], Phase.REHEARSING, "12 marked runs", "", ()),
    "dry_run": (REHEARSED, Phase.READY, "9 marked runs", "", ()),
    "dry_run_with_twins_joined": (REHEARSED, Phase.READY, "9 marked runs", "", ("a", "4", "j")),
    "under_way": (LONG, Phase.RUNNING, MATCH, "", ("j", "j")),
    "waits": (LONG, Phase.RUNNING, MATCH, "It waits for the database: the database does not answer (gone).", ()),
    "stopped": (ENDED, Phase.STOPPED, "8 marked runs", "", ("5", "j")),
    "done": (ENDED[:6], Phase.DONE, "6 marked runs", "", ()),
    "failed": ([Item(1001)], Phase.FAILED, "1 marked run", "unforeseen: RuntimeError: boom", ()),
    "hostile": (HOSTILE_ITEMS, Phase.READY, HOSTILE, "", ()),
}


@pytest.mark.parametrize("name", STATES)
def test_bulk(name: str, picture: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("screens.bulk.screen.LOOK_EVERY", NEVER)  # it looks with each poll, too, and so comes to rest
    items, phase, words, trouble, keys = STATES[name]
    stage = FakeBackend()
    job = BulkRetry(stage.backend(), [item.run_id for item in items], words, lambda _: None)
    for place, item in enumerate(items):
        job._put(place, item)
    job.phase, job.trouble = phase, trouble

    async def before(pilot: Any, monitor: Monitor) -> None:
        monitor.actions.jobs.append(job)
        monitor.push_screen(BulkScreen(job))
        await until(pilot, lambda: isinstance(monitor.screen, BulkScreen) and monitor.screen._seen)

    assert picture(stage, *keys, before=before, in_ascii=name == "dry_run")
