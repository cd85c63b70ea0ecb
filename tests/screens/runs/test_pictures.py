"""Pictures of the list: what somebody has seen to, a toast, and an empty tab Failed."""

from __future__ import annotations

from typing import Any

from screens.monitor import Monitor
from screens.notify.toasts import Toast
from store.model.records import Failure, Outcome
from tests.screens.conftest import FakeBackend, a_run, ago, runs_of_all_states
from tests.screens.pictures import Picture

FORBIDDEN = (Failure("graph.forbidden", "Microsoft Graph refused: scope tags", 2),)
SEEN_TO = (
    a_run(989, Outcome.FAILED, failure_summary=FORBIDDEN, acknowledged_at=ago(60)),
    a_run(988, Outcome.PARTIALLY_SUCCEEDED, failure_summary=FORBIDDEN, acknowledged_at=ago(60)),
)


async def _told(pilot: Any, monitor: Monitor) -> None:
    words = "contoso: 36 of 40 done, graph.forbidden: Microsoft Graph refused: scope tags of the policy"
    monitor.toast(Toast(f"{words}\nv: view run 995", "Sync inventory failed", "warning", 995))


def test_what_is_acknowledged(picture: Picture) -> None:
    assert picture(FakeBackend((*runs_of_all_states(), *SEEN_TO)), "G", in_ascii=True)


def test_nothing_failed_that_nobody_has_seen_to(picture: Picture) -> None:
    assert picture(FakeBackend(SEEN_TO), "5", sizes=((80, 24),))


def test_several_are_acknowledged(picture: Picture) -> None:
    assert picture(FakeBackend(runs_of_all_states()), "j", "j", "j", "space", "space", "a")


def test_a_toast(picture: Picture) -> None:
    runs = tuple(a_run(id_) for id_ in range(950, 1000))
    assert picture(FakeBackend(runs), before=_told)
