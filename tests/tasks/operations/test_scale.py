"""A large tenant under faults all along: complete, nothing doubled, and the throttling is shown. Whole in `make proof`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from store.model.records import Counts, Outcome, Run
from store.model.tables import directory_groups, policies, policy_versions
from tasks.graph.simulator import Fault, Simulator, synthetic
from tests.support.properties import size
from tests.tasks.conftest import WorkerHarness
from tests.tasks.operations.conftest import Sync, codes

POLICIES = size(150, 1_000)
GROUPS = size(1_200, 20_000)

#: Of all requests, items of batches included: 5 % throttled, with and without Retry-After; 1 % unavailable; broken pages.
FAULTS = (
    {"path": "/device", "status": 429, "every": 40, "retry_after": "0"},
    {"path": "/device", "status": 429, "every": 41, "after": 7},
    {"path": "/groups/delta", "status": 429, "every": 40, "after": 1, "retry_after": "0"},
    {"path": "/groups/delta", "status": 429, "every": 41, "after": 3},
    {"path": "/device", "status": 503, "every": 101, "after": 13, "retry_after": "0"},
    {"path": "/groups/delta", "status": 503, "every": 101, "after": 5, "retry_after": "0"},
    {"path": "", "break_off": True, "every": 47, "after": 17},
)


@pytest.fixture
def large(stage: WorkerHarness) -> Iterator[Sync]:
    with Simulator([synthetic("contoso", 7, POLICIES, GROUPS)], page_size=100) as simulator:
        yield Sync(stage, simulator)


def carried_out(large: Sync, type_: str) -> Run:
    large.faults(*(Fault.from_json({"count": None, **fault}) for fault in FAULTS))
    run = large.run(type_)
    assert (run.outcome, codes(run)) == (Outcome.SUCCEEDED, [])
    return run


def throttled(large: Sync, since: int) -> int:
    """How many requests of the simulator's record were throttled, those inside of batches left out."""
    return Counter(status for _, _, status in large.simulator.requests[since:])[429]


@pytest.mark.worker
def test_a_large_tenant_under_faults_is_read_whole(large: Sync) -> None:
    large.worker(graph_reads="1000000")
    for type_ in ("inventory.sync", "policy.sync"):
        since = len(large.simulator.requests)
        run = carried_out(large, type_)
        assert run.summary_counts == Counts(POLICIES, POLICIES)
        assert large.known() == sorted(large.actual())
        assert large.missing() == set()
        shown = (run.context or {}).get("throttled", {"times": 0})["times"]
        assert shown >= throttled(large, since)
    with large.stage.db.read() as connection:
        query = sa.select(policies.c.kind, policies.c.external_id, sa.func.count(policy_versions.c.id))
        versions = connection.execute(
            query.join(policy_versions, policy_versions.c.policy_id == policies.c.id).group_by(policies.c.id)
        ).all()
    assert sorted((kind, id_) for kind, id_, _ in versions) == sorted(large.actual())
    assert {number for *_, number in versions} == {1}


@pytest.mark.worker
def test_many_groups_under_faults_are_read_whole(large: Sync) -> None:
    large.worker(graph_reads="1000000")
    run = carried_out(large, "directory_groups.sync")
    assert run.summary_counts == Counts(GROUPS, GROUPS)
    assert run.context is not None
    assert run.context["throttled"]["times"] == throttled(large, 0) > 0
    with large.stage.db.read() as connection:
        there = sa.select(directory_groups.c.group_id, directory_groups.c.display_name).where(
            directory_groups.c.removed_at.is_(None)
        )
        found = {row.group_id: row.display_name for row in connection.execute(there)}
    assert found == {group["id"]: group["displayName"] for group in large.tenant.listed("groups")}
