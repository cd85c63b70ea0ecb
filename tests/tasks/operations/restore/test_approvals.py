"""Restores into a tenant where another administrator has to approve changes (Multi Admin Approval)."""

from __future__ import annotations

import pytest

from store.errors import InputInvalid
from store.intune.restore_records import Restore, RestoreState
from store.model.records import Outcome, Run
from tasks.graph.simulator.approvals import Approval
from tests.tasks.operations.restore.conftest import Restoring, settings_policy, to_group

KIND = "configuration_policies"


def waiting(at: Restoring) -> tuple[Restore, Run]:
    """A restore of one policy that waits for an approval."""
    at.worker()
    at.put("contoso", KIND, **settings_policy("Firewall"), assignments=[to_group("g1")])
    at.groups("contoso", g1="Sales")
    at.groups("fabrikam", x1="Sales")
    at.target.protected.add(KIND)
    return at.restored(at.backup(KIND))


def asked(at: Restoring) -> list[Approval]:
    return at.target.approvals.listed()


def resume(at: Restoring, restore: Restore) -> Run:
    return at.stage.completed(at.stage.dispatcher().continue_restore(at.stage.user, restore.id).run.id)


def test_it_waits_goes_on_with_the_same_request_and_waits_for_the_next(restoring_: Restoring) -> None:
    at = restoring_
    restore, run = waiting(at)
    assert run.outcome is Outcome.FAILED  # nothing was done yet
    assert [one.code for one in run.failure_summary] == ["restore.waits_for_approval"]
    assert at.now(restore).status is RestoreState.WAITING_FOR_APPROVAL
    [approval] = asked(at)
    assert approval.justification == "planned change"
    item = at.items(restore)["Firewall"]
    assert (item.result, item.intent["approval"]["code"]) == ("waiting", approval.code)

    again = resume(at, restore)  # nobody has approved it yet
    assert [one.code for one in again.failure_summary] == ["restore.waits_for_approval"]
    assert again.retry_of_id == run.id
    assert at.now(restore).status is RestoreState.WAITING_FOR_APPROVAL
    assert len(asked(at)) == 1
    assert at.there(KIND) == []

    at.target.approvals.decide(approval.code, "approved")
    third = resume(at, restore)  # the policy is made; its assignment waits now
    assert [one["name"] for one in at.there(KIND)] == ["Firewall"]
    assert [one.code for one in third.failure_summary] == ["restore.waits_for_approval"]
    [_, assignment] = asked(at)
    assert assignment.url.endswith("/assign?")

    at.target.approvals.decide(assignment.code, "approved")
    last = resume(at, restore)
    assert last.outcome is Outcome.SUCCEEDED, last
    assert at.now(restore).status is RestoreState.COMPLETED
    [made] = at.there(KIND)
    assert [one["target"]["groupId"] for one in made["assignments"]] == ["x1"]
    assert len(asked(at)) == 2


@pytest.mark.parametrize("status", ["rejected", "expired", "cancelled"])
def test_what_is_not_approved_fails_with_that_word(restoring_: Restoring, status: str) -> None:
    at = restoring_
    restore, _ = waiting(at)
    at.target.approvals.decide(asked(at)[0].code, status)
    run = resume(at, restore)
    assert run.outcome is Outcome.FAILED
    item = at.items(restore)["Firewall"]
    assert (item.result, item.result_code) == ("failed", "restore.rejected")
    assert status in str(item.result_message)
    assert at.there(KIND) == []
    assert at.now(restore).status is RestoreState.FAILED
    with pytest.raises(InputInvalid):
        at.stage.dispatcher().continue_restore(at.stage.user, restore.id)
    at.preview(restore)  # asks anew
    at.execute(restore)
    assert len(asked(at)) == 2
    assert at.now(restore).status is RestoreState.WAITING_FOR_APPROVAL


def test_an_update_waits_too_and_the_way_back_was_kept_before(restoring_: Restoring) -> None:
    at = restoring_
    at.worker()
    at.put("contoso", KIND, **settings_policy("Firewall"), assignments=[to_group("g1")])
    at.put("fabrikam", KIND, **settings_policy("Firewall", "theirs"), assignments=[])
    at.groups("contoso", g1="Sales")
    at.groups("fabrikam", x1="Sales")
    at.target.protected.add(KIND)
    restore, _ = at.restored(at.backup(KIND), mode="update")
    assert at.now(restore).undo_set_id is not None
    for _ in range(2):
        assert at.now(restore).status is RestoreState.WAITING_FOR_APPROVAL
        at.target.approvals.decide(asked(at)[-1].code, "approved")
        resume(at, restore)
    assert at.now(restore).status is RestoreState.COMPLETED
    assert [one.method for one in asked(at)] == ["PUT", "POST"]


def test_others_are_carried_out_while_one_waits(restoring_: Restoring) -> None:
    at = restoring_
    at.worker()
    at.put("contoso", KIND, **settings_policy("Firewall"), assignments=[])
    at.put("contoso", "scope_tags", displayName="Berlin", isBuiltIn=False)
    at.target.protected.add(KIND)
    restore, run = at.restored(at.backup(KIND, "scope_tags"))
    assert run.outcome is Outcome.PARTIALLY_SUCCEEDED
    assert at.now(restore).status is RestoreState.WAITING_FOR_APPROVAL
    assert sorted(str(one.result) for one in at.items(restore).values()) == ["done", "waiting"]
