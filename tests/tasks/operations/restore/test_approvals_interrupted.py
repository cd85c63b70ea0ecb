"""Restores that wait for an approval, and what may happen meanwhile: other people's objects, lost answers, kills."""

from __future__ import annotations

from store.errors import QueueUnavailable
from store.intune.restore_records import Restore, RestoreState
from tasks.dispatch import Receipt
from tests.tasks.operations.restore.conftest import Restoring, settings_policy, to_group
from tests.tasks.operations.restore.test_approvals import KIND, asked, resume, waiting


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
