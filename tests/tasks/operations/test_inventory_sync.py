"""`inventory.sync` in a real worker, over real HTTP: what the tenant has is what the table says, whatever goes wrong on the way."""

from __future__ import annotations

import pytest

from store.model.records import Counts, Outcome
from tasks.graph.simulator import Fault, Simulator, synthetic
from tests.tasks.conftest import WorkerHarness, assert_failed
from tests.tasks.operations.conftest import POLICIES, Sync, codes


@pytest.mark.worker
def test_all_policies_are_read_once_and_a_second_time_nothing_changes(sync: Sync) -> None:
    sync.worker()
    first = sync.run()
    assert (first.outcome, first.summary_counts, codes(first)) == (Outcome.SUCCEEDED, Counts(POLICIES, POLICIES), [])
    assert sync.known() == sorted(sync.actual())
    assert len(sync.known()) == POLICIES
    second = sync.run()
    assert (second.outcome, second.summary_counts) == (Outcome.SUCCEEDED, Counts(POLICIES, POLICIES))
    assert sync.known() == sorted(sync.actual())
    assert sync.missing() == set()
    assert sync.stage.told(first.id) == sync.stage.told(second.id) == ["queued", "completed"]


@pytest.mark.worker
def test_a_kind_that_is_forbidden_is_that_kinds_failure_and_loses_nothing(sync: Sync) -> None:
    sync.worker()
    sync.faults(Fault("/deviceManagement/roleScopeTags", status=403, count=None))
    first = sync.run()
    assert (first.outcome, codes(first)) == (Outcome.PARTIALLY_SUCCEEDED, ["graph.forbidden"])
    assert "scope tags" in first.failure_summary[0].message
    readable = {key for key in sync.actual() if key[0] != "scope_tags"}
    assert sync.known() == sorted(readable)
    assert first.summary_counts == Counts(len(readable) + 1, len(readable), 1)
    sync.faults()
    assert sync.run().outcome is Outcome.SUCCEEDED
    assert sync.known() == sorted(sync.actual())
    sync.faults(Fault("/deviceManagement/roleScopeTags", status=403, count=None))
    assert sync.run().outcome is Outcome.PARTIALLY_SUCCEEDED
    assert sync.known() == sorted(sync.actual())  # what could not be read is not missing
    assert sync.missing() == set()


@pytest.mark.worker
def test_throttling_and_pages_that_break_off_lose_and_double_nothing(sync: Sync) -> None:
    sync.worker()
    lists = ("configurationPolicies", "deviceConfigurations", "mobileApps", "deviceCompliancePolicies")
    sync.faults(
        Fault(lists[0], status=429, retry_after="0.2", after=1, count=2),
        Fault(lists[1], status=429, after=1),
        Fault(lists[2], break_off=True, after=1),
        Fault(lists[3], status=503, after=1),
    )
    run = sync.run()
    assert (run.outcome, run.summary_counts, codes(run)) == (Outcome.SUCCEEDED, Counts(POLICIES, POLICIES), [])
    assert sync.known() == sorted(sync.actual())
    asked = [path for _, path, _ in sync.simulator.requests]
    repeated = {
        name: sum(name in path for path in asked) - len({path for path in asked if name in path}) for name in lists
    }
    assert repeated == {lists[0]: 2, lists[1]: 1, lists[2]: 1, lists[3]: 1}
    assert sync.stage.everything().count("throttled by Graph") == 3


@pytest.mark.worker
def test_a_kind_that_fails_half_way_is_completed_by_the_next_run(sync: Sync) -> None:
    sync.worker()
    path = "/deviceManagement/configurationPolicies"
    sync.faults(Fault(path, status=404, after=2, count=None))
    run = sync.run()
    assert (run.outcome, codes(run)) == (Outcome.PARTIALLY_SUCCEEDED, ["graph.not_found"])
    assert "configuration policies" in run.failure_summary[0].message
    of_kind = {key for key in sync.actual() if key[0] == "configuration_policies"}
    assert len(of_kind & set(sync.known())) == 50 < len(of_kind)  # two of the catalog's pages
    sync.faults()
    assert sync.run().outcome is Outcome.SUCCEEDED
    assert sync.known() == sorted(sync.actual())


@pytest.mark.worker
def test_only_a_kind_that_was_read_to_its_end_says_what_is_gone(sync: Sync) -> None:
    sync.worker()
    sync.run()
    removed = {(kind, sync.tenant.listed(kind)[0]["id"]) for kind in ("mobile_apps", "configuration_policies")}
    for kind, id_ in removed:
        assert sync.tenant.delete(kind, id_)
    sync.faults(Fault("/deviceManagement/configurationPolicies", status=404, after=2, count=None))
    assert sync.run().outcome is Outcome.PARTIALLY_SUCCEEDED
    assert sync.missing() == {key for key in removed if key[0] == "mobile_apps"}
    sync.faults()
    assert sync.run(kinds=["mobile_apps"]).outcome is Outcome.SUCCEEDED
    assert sync.missing() == {key for key in removed if key[0] == "mobile_apps"}
    assert sync.run().outcome is Outcome.SUCCEEDED
    assert sync.missing() == removed
    assert sync.known() == sorted(sync.actual())
    kind, id_ = min(removed)
    sync.tenant.put(kind, {"id": id_, "displayName": "It is back"})
    sync.run()
    assert sync.missing() == removed - {(kind, id_)}


@pytest.mark.worker
def test_a_wrong_secret_fails_the_run_and_is_kept_nowhere(sync: Sync) -> None:
    worker = sync.worker(client_secret="abc8Q~wrongwrongwrongwrongwrong")
    run = sync.run()
    assert_failed(run, "graph.unauthorized")
    assert "the client secret is wrong" in run.failure_summary[0].message
    assert sync.known() == []
    worker.stop()
    assert worker.exit_code() == 0
    for text in (sync.stage.everything(), worker.log):
        assert "wrongwrong" not in text


@pytest.mark.worker
def test_a_tenant_of_another_cloud_is_signed_in_to_that_cloud(sync: Sync) -> None:
    sync.tenant.cloud = "gcc_high"
    sync.worker(cloud="gcc_high")
    assert sync.run(kinds=["mobile_apps"]).outcome is Outcome.SUCCEEDED
    assert set(sync.simulator.sign_in.scopes) == {"https://graph.microsoft.us/.default"}
    sync.tenant.cloud = "china"
    run = sync.run(kinds=["mobile_apps"])
    assert_failed(run, "graph.unauthorized")
    assert "another cloud: check cloud" in run.failure_summary[0].message


@pytest.mark.worker
def test_without_credentials_the_run_says_where_they_belong(stage: WorkerHarness) -> None:
    stage.worker()
    run = stage.completed(stage.start("inventory.sync").id)
    assert_failed(run, "graph.unauthorized")
    assert "[credentials.contoso]" in run.failure_summary[0].message


@pytest.mark.worker
@pytest.mark.parametrize("app", [{"client_secret_command": "exit 3"}, {}], ids=["unreadable", "incomplete"])
def test_credentials_that_cannot_be_used_are_not_taken_for_wrong_parameters(
    stage: WorkerHarness, app: dict[str, str]
) -> None:
    stage.worker(credentials_contoso_client_id="id", **{f"credentials_contoso_{key}": app[key] for key in app})
    run = stage.completed(stage.start("inventory.sync").id)
    assert_failed(run, "graph.unauthorized")
    assert "tenant 'contoso'" in run.failure_summary[0].message


@pytest.mark.worker
def test_a_graph_that_cannot_be_reached_fails_the_run(stage: WorkerHarness) -> None:
    sync = Sync(stage, Simulator([synthetic("contoso", 7, 10)]))  # an address at which nobody serves
    sync.simulator._server.server_close()
    sync.worker()
    run = sync.run()
    assert (run.outcome, set(codes(run))) == (Outcome.FAILED, {"graph.unavailable"})
