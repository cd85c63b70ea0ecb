"""What a restore does at its second attempt: no more than a first would, and nothing to what is not its own."""

from __future__ import annotations

from typing import Any, Final

import pytest

from store.errors import InputInvalid
from store.intune.restore_records import RestoreState
from store.model.records import Outcome
from store.runs import restoring
from tasks.graph.simulator import Fault
from tests.tasks.operations.cases import Body, typed
from tests.tasks.operations.restore.conftest import Restoring, settings_policy, to_group
from tests.tasks.operations.restore.steps import CATALOG, again, previewed, skip
from tests.tasks.operations.restore.test_restore_cases_assignments import FILTERS, put_filter

APPS: Final = "mobile_apps"


def put_app(at: Restoring, tenant: str, description: str, assignments: list[Body]) -> str:
    """An app of which nothing but the assignments can be restored."""
    body = typed("win32LobApp", displayName="Packed", publisher="x", description=description)
    return at.put(tenant, APPS, **body, committedContentVersion="2", assignments=assignments)


def sales(at: Restoring) -> None:
    at.groups("contoso", g1="Sales")
    at.groups("fabrikam", x1="Sales")


def required() -> list[Body]:
    return [to_group("g1") | {"intent": "required", "settings": None}]


def test_what_is_only_assigned_is_only_assigned_when_it_is_tried_again(restoring_: Restoring) -> None:
    at = restoring_
    put_app(at, "contoso", "ours", required())
    put_app(at, "fabrikam", "theirs", [])
    sales(at)
    restore = previewed(at, APPS, mode="update")
    at.faults(Fault("/assign", method="POST", status=400))
    at.execute(restore)
    assert at.items(restore)["Packed"].result == "failed"
    at.faults()
    assert again(at, restore).outcome is Outcome.SUCCEEDED
    (app,) = at.there(APPS)
    assert (app["description"], [one["target"]["groupId"] for one in app["assignments"]]) == ("theirs", ["x1"])


def test_an_app_that_was_chosen_of_two_is_only_assigned(restoring_: Restoring) -> None:
    at = restoring_
    put_app(at, "contoso", "ours", required())
    ids = [put_app(at, "fabrikam", "theirs", []) for _ in range(2)]
    sales(at)
    restore = previewed(at, APPS, mode="update")
    item = at.items(restore)["Packed"]
    assert item.action == "ambiguous"
    restoring.choose(at.stage.db, at.stage.user, restore.id, {item.id: {"target_id": ids[0]}})
    assert again(at, restore).outcome is Outcome.SUCCEEDED
    assert {one["description"] for one in at.there(APPS)} == {"theirs"}
    assert {one["id"]: len(one["assignments"]) for one in at.there(APPS)} == {ids[0]: 1, ids[1]: 0}


def put_filtered(at: Restoring) -> None:
    """A policy of the source for those whom a filter takes."""
    put_filter(at, "contoso", "f1")
    at.put("contoso", CATALOG, **settings_policy("Filtered"), assignments=[to_group("g1", "f1")])
    sales(at)


@pytest.mark.parametrize("mode", ["create", "update"])
def test_a_filter_that_was_chosen_of_two_is_no_other_filter(restoring_: Restoring, mode: str) -> None:
    at = restoring_
    put_filtered(at)
    for number in (1, 2):
        put_filter(at, "fabrikam", f"x{number}", rule=f'(device.model -ne "{number}")')
    restore = previewed(at, CATALOG, FILTERS, mode=mode)
    item = at.items(restore)["VMs"]
    restoring.choose(at.stage.db, at.stage.user, restore.id, {item.id: {"target_id": "x1"}})
    at.preview(restore)
    items = at.items(restore)
    assert [code for code, _ in items["VMs"].reasons] == ["restore.differs"]
    assert [code for code, _ in items["Filtered"].reasons] == ["restore.filter_differs"]
    with pytest.raises(InputInvalid, match="blocked"):
        at.execute(restore)


def test_a_filter_that_is_not_changed_back_is_not_used_as_if_it_were(restoring_: Restoring) -> None:
    at = restoring_
    put_filtered(at)
    at.put("contoso", CATALOG, **settings_policy("Plain"), assignments=[])
    at.worker()
    set_id = at.backup(CATALOG, FILTERS)
    at.source.objects[FILTERS]["f1"]["rule"] = '(device.model -ne "nobody")'
    for one in list(at.source.objects[CATALOG]):
        at.source.delete(CATALOG, one)
    restore = at.skip_unresolved(at.plan(set_id, tenant="contoso", mode="update"))
    at.preview(restore)
    skip(at, restore, "VMs")
    at.preview(restore)
    assert [code for code, _ in at.items(restore)["Filtered"].reasons] == ["restore.filter_differs"]


def test_what_was_refused_is_not_taken_for_what_somebody_made_instead(restoring_: Restoring) -> None:
    at = restoring_
    at.put("contoso", CATALOG, **settings_policy("A"), assignments=[])
    restore = previewed(at, CATALOG)
    at.faults(Fault("configurationPolicies", method="POST", status=400))
    at.execute(restore)
    at.faults()
    at.put("fabrikam", CATALOG, **settings_policy("A", "by hand"), assignments=[])
    there = at.there(CATALOG)
    at.preview(restore)
    assert at.items(restore)["A"].action == "exists"
    assert at.execute(restore).outcome is Outcome.SUCCEEDED
    assert at.there(CATALOG) == there


def half_made(at: Restoring, **more: Any) -> Any:
    """A restore that has made a policy and could not assign it; somebody has deleted the policy since."""
    at.put("contoso", CATALOG, **settings_policy("A"), assignments=[to_group("g1")])
    sales(at)
    restore = previewed(at, CATALOG, **more)
    at.faults(Fault("/assign", method="POST", status=400))
    at.execute(restore)
    at.faults()
    made = at.items(restore)["A"].target_id
    assert made is not None
    at.target.delete(CATALOG, made)
    return restore


def test_what_was_made_and_deleted_since_is_made_again(restoring_: Restoring) -> None:
    at = restoring_
    restore = half_made(at)
    at.preview(restore)
    assert at.items(restore)["A"].action == "create"
    assert at.execute(restore).outcome is Outcome.SUCCEEDED, at.items(restore)
    (made,) = at.there(CATALOG)
    assert [one["target"]["groupId"] for one in made["assignments"]] == ["x1"]


def test_another_in_the_place_of_what_was_made_stays_as_it_is(restoring_: Restoring) -> None:
    at = restoring_
    restore = half_made(at)
    at.put("fabrikam", CATALOG, **settings_policy("A", "theirs"), assignments=[])
    there = at.there(CATALOG)
    at.preview(restore)
    assert at.items(restore)["A"].action == "exists"
    at.execute(restore)
    assert at.there(CATALOG) == there
    assert at.now(restore).status is RestoreState.COMPLETED


def test_another_in_the_place_of_what_was_made_is_kept_before_it_is_overwritten(restoring_: Restoring) -> None:
    at = restoring_
    restore = half_made(at, mode="update")
    theirs = at.put("fabrikam", CATALOG, **settings_policy("A", "theirs"), assignments=[])
    assert again(at, restore).outcome is Outcome.SUCCEEDED
    undo_set = at.now(restore).undo_set_id
    assert undo_set is not None
    undo, _ = at.restored(undo_set, mode="update")
    assert at.items(undo)["A"].target_id == theirs
    assert "theirs" in str(at.target.objects[CATALOG][theirs]["settings"])
