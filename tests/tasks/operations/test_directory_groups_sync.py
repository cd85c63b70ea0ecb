"""`directory_groups.sync` in a real worker, over real HTTP: all groups, then what changed, whatever becomes of the link."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from store.model.records import Counts, Outcome
from store.model.tables import directory_groups
from tasks.graph.simulator import Fault
from tests.tasks.conftest import assert_failed
from tests.tasks.operations.conftest import Sync, codes

GROUPS = 900
FIRST = "groups/delta?$select="


@pytest.fixture
def groups(sync: Sync) -> Sync:
    sync.tenant.objects["groups"].clear()
    for number in range(GROUPS):
        sync.tenant.put(
            "groups", {"id": f"g{number}", "displayName": f"Group {number} ", "members": [{"id": "secret-u1"}]}
        )
    return sync


def names(sync: Sync) -> dict[str, str]:
    query = sa.select(directory_groups.c.group_id, directory_groups.c.display_name).where(
        directory_groups.c.removed_at.is_(None)
    )
    with sync.stage.db.read() as connection:
        return {row[0]: row[1] for row in connection.execute(query)}


def there(sync: Sync) -> dict[str, str]:
    return {group["id"]: group["displayName"] for group in sync.tenant.listed("groups")}


def first_rounds(sync: Sync) -> int:
    """How often the list was begun from the beginning."""
    return sum("$select" in path or "%24select" in path for _, path, _ in sync.simulator.requests if "delta" in path)


@pytest.mark.worker
def test_all_groups_are_read_once_and_then_what_changed(groups: Sync) -> None:
    groups.worker()
    first = groups.run("directory_groups.sync")
    assert (first.outcome, first.summary_counts, codes(first)) == (Outcome.SUCCEEDED, Counts(GROUPS, GROUPS), [])
    assert names(groups) == there(groups)
    assert "secret-u1" not in groups.stage.everything(), "members are not read"
    groups.tenant.put("groups", {"id": "g1", "displayName": "Neu "})
    groups.tenant.delete("groups", "g2", "changed")
    groups.tenant.delete("groups", "g3")
    second = groups.run("directory_groups.sync")
    assert (second.outcome, second.summary_counts) == (Outcome.SUCCEEDED, Counts(3, 3))
    assert names(groups) == there(groups)
    assert first_rounds(groups) == 1
    third = groups.run("directory_groups.sync")
    assert third.outcome is Outcome.SUCCEEDED
    assert len(names(groups)) == GROUPS - 2


@pytest.mark.worker
@pytest.mark.parametrize("status", [400, 410])
def test_a_link_that_ended_is_followed_by_a_complete_round_in_the_same_run(groups: Sync, status: int) -> None:
    groups.worker()
    groups.run("directory_groups.sync")
    groups.tenant.delete("groups", "g5")
    groups.tenant.removed.clear()  # what Graph forgot by now: only a complete round shows it
    groups.tenant.end_deltas(status)
    run = groups.run("directory_groups.sync")
    assert run.outcome is Outcome.SUCCEEDED
    assert names(groups) == there(groups)
    assert first_rounds(groups) == 2
    assert groups.stage.everything().count("started again from the beginning") == 1


@pytest.mark.worker
def test_a_third_refusal_fails_the_run_and_loses_nothing(groups: Sync) -> None:
    groups.worker()
    groups.run("directory_groups.sync")
    groups.faults(Fault("/groups/delta", status=400, code="syncStateNotFound", count=None))
    run = groups.run("directory_groups.sync")
    assert_failed(run, "graph.sync_expired")
    assert names(groups) == there(groups)
    groups.faults()
    assert groups.run("directory_groups.sync").outcome is Outcome.SUCCEEDED
    assert names(groups) == there(groups)


@pytest.mark.worker
def test_throttling_and_broken_pages_lose_and_double_nothing(groups: Sync) -> None:
    groups.worker()
    groups.faults(
        Fault("/groups/delta", status=429, retry_after="0.1", after=2, count=2),
        Fault("/groups/delta", break_off=True, after=5),
        Fault("/groups/delta", status=503, retry_after="0", after=9),
    )
    run = groups.run("directory_groups.sync")
    assert (run.outcome, run.summary_counts) == (Outcome.SUCCEEDED, Counts(GROUPS, GROUPS))
    assert names(groups) == there(groups)
    assert run.context is not None
    assert run.context["throttled"]["times"] == 2


@pytest.mark.worker
def test_a_round_that_breaks_off_removes_nobody_and_the_next_begins_again(groups: Sync) -> None:
    groups.worker()
    groups.run("directory_groups.sync")
    groups.tenant.end_deltas()
    groups.faults(Fault("/groups/delta", status=403, after=4, count=None))
    assert groups.run("directory_groups.sync").outcome is Outcome.PARTIALLY_SUCCEEDED
    assert names(groups) == there(groups)
    groups.faults()
    assert groups.run("directory_groups.sync").outcome is Outcome.SUCCEEDED
    assert first_rounds(groups) == 3
    assert names(groups) == there(groups)


@pytest.mark.worker
def test_the_permission_that_is_missing_is_named(groups: Sync) -> None:
    groups.worker()
    groups.tenant.granted = frozenset({"DeviceManagementConfiguration.Read.All"})
    run = groups.run("directory_groups.sync")
    assert_failed(run, "graph.forbidden")
    assert "GroupMember.Read.All" in run.failure_summary[0].message
