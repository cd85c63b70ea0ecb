"""What a restore does not do: write more than was previewed, overwrite without a way back, or say less than it did."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from store.errors import InputInvalid, RunEnded
from store.intune.restore_records import RestoreState, Scope
from store.model.records import Outcome, Status
from store.model.tables import backup_items, backup_sets, contents, restore_runs
from store.people import admin
from store.people.access import Role
from store.runs import lifecycle, restore_work, restoring
from store.runs.lifecycle import Result
from store.runs.restore_work import Became
from tasks.graph.simulator import Fault
from tests.tasks.operations.restore.conftest import Restoring, settings_policy, to_group

KIND = "configuration_policies"
PATH = "/beta/deviceManagement/configurationPolicies"


def writes(at: Restoring) -> list[str]:
    """The writes that the simulator has been sent."""
    return [
        f"{method} {path}" for method, path, _ in at.simulator.requests if method != "GET" and "/beta/device" in path
    ]


def values(at: Restoring) -> dict[str, list[object]]:
    """The settings of the target's policies by their names."""
    return {one["name"]: [setting["settingInstance"] for setting in one["settings"]] for one in at.there(KIND)}


def two_policies(at: Restoring) -> int:
    """A backup of two policies, of which the target has one, otherwise."""
    at.put("contoso", KIND, **settings_policy("Old"), assignments=[to_group("g1")])
    at.put("contoso", KIND, **settings_policy("New"), assignments=[to_group("g1")])
    at.put("fabrikam", KIND, **settings_policy("Old", "otherwise"), assignments=[])
    at.groups("contoso", g1="Sales")
    at.groups("fabrikam", x1="Sales")
    return at.backup(KIND)


def test_a_dry_run_does_everything_but_write_and_can_be_followed_by_the_real_thing(restoring_: Restoring) -> None:
    at = restoring_
    at.worker()
    restore = at.plan(two_policies(at), mode="update")
    at.preview(restore)
    run = at.execute(restore, dry_run=True)
    assert run.outcome is Outcome.SUCCEEDED, run
    assert run.summary_counts is not None
    assert run.summary_counts.success == 2
    assert writes(at) == []
    assert at.now(restore).status is RestoreState.COMPLETED
    assert at.now(restore).undo_set_id is None
    assert at.results(restore) == {None: 2}

    at.preview(restore)
    again = at.execute(restore)
    assert (again.outcome, again.retry_of_id) == (Outcome.SUCCEEDED, run.id)
    assert len(writes(at)) == 4
    assert at.results(restore) == {"done": 2}


def test_what_was_overwritten_comes_back_by_a_restore_of_the_undo_set(restoring_: Restoring) -> None:
    at = restoring_
    at.worker()
    set_id = two_policies(at)
    before = values(at)
    restore, _ = at.restored(set_id, mode="update")
    undo_set = at.now(restore).undo_set_id
    assert undo_set is not None
    assert values(at)["Old"] != before["Old"]

    undo, run = at.restored(undo_set, mode="update")
    assert run.outcome is Outcome.SUCCEEDED, run
    assert [one.action for one in at.items(undo).values()] == ["update"]
    after = values(at)
    assert after["Old"] == before["Old"]
    assert [one["assignments"] for one in at.there(KIND) if one["name"] == "Old"] == [[]]
    assert "New" in after  # what was created stays
    assert at.items(restore)["New"].target_id in {one["id"] for one in at.there(KIND)}


def test_nothing_is_written_if_what_it_overwrites_cannot_be_kept(restoring_: Restoring) -> None:
    at = restoring_
    at.worker()
    restore = at.plan(two_policies(at), mode="update")
    at.preview(restore)
    at.faults(Fault(path=PATH, status=403, code="Forbidden", count=None))
    run = at.execute(restore)
    assert run.outcome is Outcome.FAILED
    assert [one.code for one in run.failure_summary] == ["restore.no_undo"]
    assert writes(at) == []
    assert at.now(restore).status is RestoreState.FAILED


def changed_settings(at: Restoring) -> None:
    [one] = [one for one in at.target.objects[KIND].values() if one["name"] == "Old"]
    one["description"] = "changed by hand"


def assigned_otherwise(at: Restoring) -> None:
    [one] = [one for one in at.target.objects[KIND].values() if one["name"] == "Old"]
    one["assignments"] = [to_group("x1")]


def deleted(at: Restoring) -> None:
    [id_] = [id_ for id_, one in at.target.objects[KIND].items() if one["name"] == "Old"]
    at.target.delete(KIND, id_)


def made_by_somebody(at: Restoring) -> None:
    at.put("fabrikam", KIND, **settings_policy("New", "theirs"), assignments=[])


@pytest.mark.parametrize(
    ("change", "name"),
    [(changed_settings, "Old"), (assigned_otherwise, "Old"), (made_by_somebody, "New")],
)
def test_what_is_no_longer_as_it_was_previewed_stays_unwritten(
    restoring_: Restoring, change: object, name: str
) -> None:
    at = restoring_
    at.worker()
    restore = at.plan(two_policies(at), mode="update")
    at.preview(restore)
    assert callable(change)
    change(at)
    there = [one for one in at.there(KIND) if one["name"] == name]
    run = at.execute(restore)
    assert run.outcome is Outcome.PARTIALLY_SUCCEEDED
    found = at.items(restore)[name]
    assert (found.result, found.result_code) == ("failed", "restore.changed")
    assert [one for one in at.there(KIND) if one["name"] == name] == there
    assert at.now(restore).status is RestoreState.PARTIAL
    at.preview(restore)  # tried again, it is previewed as it is now
    assert at.execute(restore).outcome is Outcome.SUCCEEDED


def test_what_was_deleted_since_the_preview_is_not_made_instead(restoring_: Restoring) -> None:
    at = restoring_
    at.worker()
    restore = at.plan(two_policies(at), mode="update")
    at.preview(restore)
    deleted(at)
    run = at.execute(restore)
    assert "Old" not in {one["name"] for one in at.there(KIND)}
    assert run.outcome is Outcome.FAILED
    assert writes(at) == []


def test_one_that_fails_does_not_stop_the_others_and_is_tried_again_alone(restoring_: Restoring) -> None:
    at = restoring_
    at.worker()
    restore = at.plan(two_policies(at), mode="update")
    at.preview(restore)
    at.faults(Fault(path=PATH, method="POST", status=400, code="ModelValidationFailure"))
    run = at.execute(restore)
    assert run.outcome is Outcome.PARTIALLY_SUCCEEDED
    assert sorted(str(one.result) for one in at.items(restore).values()) == ["done", "failed"]
    at.faults()
    sent = len(writes(at))
    at.preview(restore)
    again = at.execute(restore)
    assert again.outcome is Outcome.SUCCEEDED
    assert again.summary_counts is not None
    assert again.summary_counts.total == 1
    assert 1 <= len(writes(at)) - sent <= 2
    assert sorted(one["name"] for one in at.there(KIND)) == ["New", "Old"]
    with pytest.raises(InputInvalid, match="nothing left"):
        at.stage.dispatcher().preview_restore(at.stage.user, restore.id)


def test_a_preview_that_is_given_up_ends_its_run_and_can_be_made_again(restoring_: Restoring) -> None:
    at = restoring_
    at.worker()
    restore = at.plan(two_policies(at), mode="update")
    at.preview(restore)
    held = at.now(restore).run_id
    assert held is not None
    db, user = at.stage.db, at.stage.user
    with pytest.raises(InputInvalid, match="name of the tenant"):
        at.stage.dispatcher().execute_restore(user, restore.id, restoring.Confirmation("Contoso", True))
    with pytest.raises(InputInvalid, match="reviewed"):
        at.stage.dispatcher().execute_restore(user, restore.id, restoring.Confirmation("Fabrikam", False))
    with pytest.raises(InputInvalid, match="h old"):
        at.stage.dispatcher().execute_restore(user, restore.id, restoring.Confirmation("Fabrikam", True), max_age=-1.0)

    assert restoring.discard(db, user, restore.id).status is RestoreState.CHECKED
    given_up = at.stage.run(held)
    assert (given_up.status, given_up.outcome) == (Status.COMPLETED, Outcome.FAILED)
    assert [one.code for one in given_up.failure_summary] == ["restore.abandoned"]
    assert at.stage.told(held) == []
    assert {one.action for one in at.items(restore).values()} == {None}
    with pytest.raises(InputInvalid, match="not previewed"):
        at.execute(restore)

    at.preview(restore)
    second = at.now(restore).run_id
    assert second not in (held, None)
    rescoped = restoring.rescope(db, user, restore.id, Scope(kinds=(KIND,)), "create")
    assert (rescoped.status, rescoped.mode) == (RestoreState.CHECKED, "create")
    assert [one.code for one in at.stage.run(second or 0).failure_summary] == ["restore.abandoned"]
    assert writes(at) == []


def test_skipped_by_choice_is_no_failure_and_is_not_written(restoring_: Restoring) -> None:
    at = restoring_
    at.worker()
    restore = at.plan(two_policies(at), mode="update")
    at.preview(restore)
    old = at.items(restore)["Old"].id
    chosen = restoring.choose(at.stage.db, at.stage.user, restore.id, {old: {"skip": True}})
    assert chosen.status is RestoreState.CHECKED  # others may refer to it
    at.preview(restore)
    run = at.execute(restore)
    assert run.outcome is Outcome.SUCCEEDED
    assert run.summary_counts is not None
    assert (run.summary_counts.success, run.summary_counts.skipped) == (1, 1)
    assert at.now(restore).undo_set_id is None


def test_who_may_not_restore_any_more_when_a_worker_begins_writes_nothing(restoring_: Restoring) -> None:
    at = restoring_
    worker = at.worker()
    restore = at.plan(two_policies(at), mode="update")
    at.preview(restore)
    worker.stop()
    run = at.executing(restore)
    admin.grant(at.stage.db, "ann", "fabrikam", Role.OPERATOR)
    at.worker()
    ended = at.stage.completed(run.id)
    assert [one.code for one in ended.failure_summary] == ["access.forbidden"]
    assert writes(at) == []
    with at.stage.db.read() as connection:
        assert connection.execute(sa.select(restore_runs.c.status)).scalar_one() == "failed"


def test_the_run_that_previews_is_known_while_it_waits(restoring_: Restoring) -> None:
    at = restoring_
    worker = at.worker()
    restore = at.plan(two_policies(at), mode="update")
    worker.stop()
    started = at.stage.dispatcher().preview_restore(at.stage.user, restore.id)
    assert at.now(restore).preview_run_id == started.run.id
    at.worker()
    at.stage.completed(started.run.id)
    assert (at.now(restore).preview_run_id, at.now(restore).status) == (started.run.id, RestoreState.PREVIEWED)


def test_a_worker_that_was_given_up_notes_nothing_and_writes_nothing_more(restoring_: Restoring) -> None:
    """It slept, was taken for lost, and goes on: its next note is refused, and with it the request."""
    at = restoring_
    worker = at.worker()
    restore = at.plan(two_policies(at), mode="update")
    at.preview(restore)
    item = at.items(restore)["New"].id
    worker.stop()
    run = at.executing(restore)
    db, owner = at.stage.db, at.stage.register()
    assert lifecycle.claim(db, run.id, owner)
    restore_work.note_intent(db, run.id, item, {"before": []})
    assert lifecycle.finish(db, run.id, owner, Result(Outcome.FAILED))
    with pytest.raises(RunEnded):
        restore_work.note_intent(db, run.id, item, {"before": ["x"]}, "x")
    with pytest.raises(RunEnded):
        restore_work.note_result(db, run.id, item, Became("done"))
    with pytest.raises(RunEnded):
        restore_work.note_undo(db, run.id, restore.id, 1)
    found = at.items(restore)["New"]
    assert (found.intent, found.result, found.target_id) == ({"before": []}, None, None)


def test_the_impact_of_another_preview_is_not_the_one_that_was_reviewed(restoring_: Restoring) -> None:
    at = restoring_
    at.worker()
    restore = at.plan(two_policies(at), mode="update")
    at.preview(restore)
    seen = at.now(restore).previewed_at
    at.preview(restore)
    confirmed = restoring.Confirmation("Fabrikam", reviewed=True, previewed_at=seen)
    with pytest.raises(InputInvalid, match="previewed again"):
        at.stage.dispatcher().execute_restore(at.stage.user, restore.id, confirmed)
    assert at.now(restore).status is RestoreState.PREVIEWED


def test_a_kind_that_the_app_may_not_read_is_named_with_the_permission(restoring_: Restoring) -> None:
    at = restoring_
    at.worker()
    at.put("contoso", "scope_tags", displayName="Berlin", isBuiltIn=False)
    two_policies(at)
    restore = at.plan(at.backup(KIND, "scope_tags"), mode="update")
    at.target.granted = frozenset({"DeviceManagementRBAC.ReadWrite.All", "GroupMember.Read.All"})
    preview = at.preview(restore)
    assert preview.outcome is Outcome.PARTIALLY_SUCCEEDED
    assert [(one.code, one.count) for one in preview.failure_summary] == [("graph.forbidden", 1)] * 2
    assert at.items(restore)["Berlin"].action == "create"
    [(code, words)] = at.items(restore)["New"].reasons
    assert (code, "DeviceManagementConfiguration.Read.All" in words) == ("graph.forbidden", True)


def test_what_is_blocked_can_be_left_out_at_once_and_taken_in_again(restoring_: Restoring) -> None:
    at = restoring_
    at.worker()
    set_id = two_policies(at)
    at.put("fabrikam", KIND, **settings_policy("Old", "a second one"), assignments=[])
    restore = at.plan(set_id, mode="update")
    at.preview(restore)
    assert at.items(restore)["Old"].action == "ambiguous"
    db, user = at.stage.db, at.stage.user
    left_out = restoring.leave_out_blocked(db, user, restore.id)
    assert (left_out.status, at.items(restore)["Old"].is_skipped) == (RestoreState.PREVIEWED, True)
    again = restoring.choose(db, user, restore.id, {at.items(restore)["Old"].id: {}})
    assert again.status is RestoreState.PREVIEWED
    with pytest.raises(InputInvalid, match="1 of 2 objects"):
        at.execute(restore)
    restoring.leave_out_blocked(db, user, restore.id)
    assert at.execute(restore).outcome is Outcome.SUCCEEDED
    assert at.results(restore) == {"done": 1, "skipped": 1}


def test_what_somebody_changed_between_two_attempts_is_kept_too(restoring_: Restoring) -> None:
    at = restoring_
    at.worker()
    restore = at.plan(two_policies(at), mode="update")
    at.preview(restore)
    at.faults(Fault(path=PATH, method="PUT", status=400, code="BadRequest"))
    at.execute(restore)
    at.faults()
    assert at.items(restore)["Old"].result == "failed"
    changed_settings(at)
    at.preview(restore)
    run = at.execute(restore)
    assert run.outcome is Outcome.SUCCEEDED, run
    with at.stage.db.read() as connection:
        query = sa.select(backup_sets.c.id, backup_sets.c.name).where(backup_sets.c.name.like("before restore%"))
        sets = {row.name: row.id for row in connection.execute(query)}
        bodies = sa.select(backup_items.c.set_id, contents.c.body).join(
            contents, contents.c.content_hash == backup_items.c.content_hash
        )
        kept = {row.set_id: row.body["description"] for row in connection.execute(bodies)}
    first, second = (sets[f"before restore {restore.id}"], sets[f"before restore {restore.id}, run {run.id}"])
    assert (kept[first], kept[second]) == ("", "changed by hand")
    assert at.now(restore).undo_set_id == first


def test_what_nobody_changed_between_two_attempts_is_kept_once(restoring_: Restoring) -> None:
    at = restoring_
    at.worker()
    restore = at.plan(two_policies(at), mode="update")
    at.preview(restore)
    at.faults(Fault(path=PATH, method="PUT", status=400, code="BadRequest"))
    at.execute(restore)
    at.faults()
    at.preview(restore)
    assert at.execute(restore).outcome is Outcome.SUCCEEDED
    with at.stage.db.read() as connection:
        kept = sa.select(sa.func.count()).where(backup_sets.c.name.like("before restore%"))
        assert connection.execute(kept).scalar_one() == 1
