"""A restore from its plan to its end, over real HTTP, by a worker process."""

from __future__ import annotations

from store.intune.restore_records import RestoreState
from store.model.records import Outcome
from tests.tasks.operations.restore.conftest import Restoring, settings_policy, to_group


def test_what_is_missing_is_created_in_another_tenant_and_assigned(restoring_: Restoring) -> None:
    at = restoring_
    at.put(
        "contoso", "configuration_policies", **settings_policy("Firewall"), assignments=[to_group("g1"), to_group("g2")]
    )
    at.put("contoso", "configuration_policies", **settings_policy("Mine"), assignments=[])
    at.put("fabrikam", "configuration_policies", **settings_policy("Mine", "theirs"), assignments=[])
    at.groups("contoso", g1="Sales", g2="Pilot")
    at.groups("fabrikam", x1="Sales", x2="Other")
    at.worker()
    restore = at.plan(at.backup("configuration_policies"))
    assert restore.status is RestoreState.SCOPED
    restore = at.decide(restore, g2=None)
    assert restore.status is RestoreState.CHECKED

    preview = at.preview(restore)
    assert preview.outcome is Outcome.SUCCEEDED, preview
    assert {name: one.action for name, one in at.items(restore).items()} == {"Firewall": "create", "Mine": "exists"}
    assert at.now(restore).status is RestoreState.PREVIEWED
    assert len(at.there("configuration_policies")) == 1

    run = at.execute(restore)
    assert (run.outcome, run.user_id) == (Outcome.SUCCEEDED, at.stage.user.id), run
    assert run.summary_counts is not None
    assert (run.summary_counts.success, run.summary_counts.skipped) == (1, 1)
    made = {one["name"]: one for one in at.there("configuration_policies")}
    assert made.keys() == {"Firewall", "Mine"}
    assert [one["target"]["groupId"] for one in made["Firewall"]["assignments"]] == ["x1"]
    assert at.now(restore).status is RestoreState.COMPLETED
    assert at.stage.told(run.id) == ["queued", "completed"]


def test_a_preview_reads_what_is_there_in_batches(restoring_: Restoring) -> None:
    at = restoring_
    for number in range(45):
        for tenant in ("contoso", "fabrikam"):
            at.put(tenant, "configuration_policies", **settings_policy(f"P{number}"), assignments=[])
    at.worker()
    restore = at.plan(at.backup("configuration_policies"), mode="update")
    at.simulator.requests.clear()
    preview = at.preview(restore)
    assert preview.outcome is Outcome.SUCCEEDED
    assert at.actions(restore) == {"same": 45}
    # The list on three pages, and the settings of all in three batches: 20 at once.
    reads = [path for _, path, _ in at.simulator.requests if "/beta/" in path]
    assert sum("$batch" in path for path in reads) == 3
    assert len(reads) < 10, reads
