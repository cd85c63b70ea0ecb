"""Restores that wait for an approval, and what may happen meanwhile: other people's objects, lost answers, kills."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from store.errors import QueueUnavailable
from store.intune.restore_records import Restore, RestoreState
from store.model.records import Outcome
from tasks.dispatch import Receipt
from tasks.graph.simulator import Fault
from tests.support.waiting import wait_for
from tests.tasks.operations.restore.conftest import Restoring, settings_policy, to_group
from tests.tasks.operations.restore.test_approvals import KIND, asked, resume, waiting
from tests.tasks.operations.restore.test_kills import Interruption


def waiting_update(at: Restoring) -> Restore:
    """A restore that waits for the approval of a change of a policy, which was given."""
    at.worker()
    at.put("contoso", KIND, **settings_policy("Firewall"), assignments=[to_group("g1")])
    at.put("fabrikam", KIND, **settings_policy("Firewall", "theirs"), assignments=[])
    at.groups("contoso", g1="Sales")
    at.groups("fabrikam", x1="Sales")
    at.target.protected.add(KIND)
    restore, _ = at.restored(at.backup(KIND), mode="update")
    at.target.approvals.decide(asked(at)[-1].code, "approved")
    return restore


class _Refusing:
    """A queue that takes no message."""

    def send(self, run_id: int) -> None:
        raise QueueUnavailable("the queue is away")


def test_an_approval_is_not_lost_because_the_queue_is_away(restoring_: Restoring) -> None:
    at = restoring_
    restore, _ = waiting(at)
    at.target.approvals.decide(asked(at)[0].code, "approved")
    started = at.stage.dispatcher(_Refusing()).continue_restore(at.stage.user, restore.id)
    assert started.receipt is Receipt.DISPATCH_FAILED
    assert at.now(restore).status is RestoreState.WAITING_FOR_APPROVAL
    resume(at, restore)
    assert [one["name"] for one in at.there(KIND)] == ["Firewall"]


@pytest.mark.parametrize("mode", ["create", "update"])
@pytest.mark.parametrize("asked_between", [False, True])
def test_what_somebody_makes_meanwhile_stays_as_it_is(restoring_: Restoring, mode: Any, asked_between: bool) -> None:
    at = restoring_
    at.worker()
    at.put("contoso", KIND, **settings_policy("Firewall"), assignments=[to_group("g1")])
    at.groups("contoso", g1="Sales")
    at.groups("fabrikam", x1="Sales", x2="Theirs")
    at.target.protected.add(KIND)
    restore, _ = at.restored(at.backup(KIND), mode=mode)
    if asked_between:
        resume(at, restore)  # nobody has approved it yet
    at.put("fabrikam", KIND, **settings_policy("Firewall", "by hand"), assignments=[to_group("x2")])
    there = at.there(KIND)
    at.target.approvals.decide(asked(at)[0].code, "approved")
    at.target.protected.clear()
    resume(at, restore)
    assert at.there(KIND) == there
    item = at.items(restore)["Firewall"]
    assert (item.result, item.result_code) == ("failed", "restore.changed")


def test_a_kill_after_the_approved_request_leaves_what_a_retry_goes_on_with(
    restoring_: Restoring, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = restoring_
    restore, _ = waiting(at)
    at.target.approvals.decide(asked(at)[0].code, "approved")
    [worker] = at.stage.processes
    killed = threading.Event()

    def kill() -> None:
        worker.kill()
        killed.set()

    Interruption(0, "after", kill).install(monkeypatch)
    run = at.stage.dispatcher().continue_restore(at.stage.user, restore.id).run
    wait_for(killed.is_set, "the approved request", seen=at.stage.logs)
    at.stage.silence(worker)
    at.target.protected.clear()
    at.worker()
    at.stage.completed(run.id)
    at.preview(restore)
    assert at.execute(restore).outcome is Outcome.SUCCEEDED, at.items(restore)
    [made] = at.there(KIND)
    assert [one["target"]["groupId"] for one in made["assignments"]] == ["x1"]
    assert at.items(restore)["Firewall"].result == "done"


def test_an_approved_change_whose_answer_says_nothing_is_not_called_done(restoring_: Restoring) -> None:
    at = restoring_
    restore = waiting_update(at)
    there = at.there(KIND)
    at.target.protected.clear()
    at.faults(Fault("configurationPolicies", method="PUT", status=504))
    resume(at, restore)
    item = at.items(restore)["Firewall"]
    assert (item.result, item.result_code) == ("failed", "graph.unknown")
    assert at.there(KIND) == there


def test_an_approved_change_whose_answer_was_lost_is_looked_for(restoring_: Restoring) -> None:
    at = restoring_
    restore = waiting_update(at)
    at.faults(Fault("configurationPolicies", method="PUT", break_off=True))
    resume(at, restore)
    assert at.now(restore).status is RestoreState.WAITING_FOR_APPROVAL  # for its assignments
    for status, result in ((504, "failed"), (0, "done")):
        at.target.approvals.decide(asked(at)[-1].code, "approved")
        at.faults(Fault("/assign", method="POST", status=status, break_off=not status))
        resume(at, restore)
        item = at.items(restore)["Firewall"]
        assert item.result == result, item
        [one] = at.there(KIND)
        assert len(one["assignments"]) == (result == "done")
        if result == "failed":
            at.preview(restore)
            at.execute(restore)
            at.target.approvals.decide(asked(at)[-1].code, "approved")
            at.faults()
            resume(at, restore)
