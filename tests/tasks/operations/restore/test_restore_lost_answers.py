"""O26: what was made though its answer was lost is adopted, and nothing is doubled."""

from __future__ import annotations

from typing import Any

import pytest

from store.model.records import Outcome
from store.runs import restoring
from tasks.graph.simulator import Fault
from tests.tasks.operations.cases import settings, simple
from tests.tasks.operations.restore.conftest import Restoring, settings_policy, to_group
from tests.tasks.operations.restore.steps import CATALOG, again, by_name, previewed


def test_o26_what_was_made_though_its_answer_was_lost_is_adopted(restoring_: Restoring) -> None:
    at = restoring_
    at.put("contoso", CATALOG, **settings_policy("A", assignments=[to_group("g1")]))
    at.put("contoso", CATALOG, **settings_policy("B", assignments=[]))
    at.groups("contoso", g1="Sales")
    at.groups("fabrikam", x1="Sales")
    restore = previewed(at, CATALOG)
    at.faults(
        Fault("configurationPolicies", method="POST", break_off=True), Fault("/assign", method="POST", break_off=True)
    )
    assert at.execute(restore).outcome is Outcome.SUCCEEDED
    made = by_name(at, CATALOG)
    assert len(at.there(CATALOG)) == 2
    assert [one["target"]["groupId"] for one in made["A"]["assignments"]] == ["x1"]
    assert at.items(restore)["A"].target_id == made["A"]["id"]


def test_o26_a_lost_answer_to_what_was_not_carried_out_is_sent_again(restoring_: Restoring) -> None:
    at = restoring_
    at.put("contoso", CATALOG, **settings_policy("A", assignments=[]))
    restore = previewed(at, CATALOG)
    at.faults(Fault("configurationPolicies", method="POST", status=504))
    assert at.execute(restore).outcome is Outcome.SUCCEEDED
    assert len(at.there(CATALOG)) == 1


def test_o26_of_two_that_appeared_nobody_can_tell_which_it_is(restoring_: Restoring) -> None:
    at = restoring_
    at.put(
        "contoso", CATALOG, **settings_policy("A", "on", settings=settings(simple("device_x", "on")), assignments=[])
    )
    at.put("contoso", CATALOG, **settings_policy("B", assignments=[]))
    restore = previewed(at, CATALOG)
    name = by_name(at, CATALOG, "contoso")["A"]["name"]
    at.faults(Fault("configurationPolicies", method="POST", break_off=True))
    put = at.target.put

    def twice(kind: str, item: Any) -> str:
        if kind == CATALOG and item.get("name") == name:
            put(kind, {key: value for key, value in item.items() if key != "id"})
        return put(kind, item)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(at.target, "put", twice)
        run = at.execute(restore)
    assert run.outcome is Outcome.PARTIALLY_SUCCEEDED
    item = at.items(restore)["A"]
    assert (item.result, item.result_code) == ("failed", "restore.ambiguous")
    assert at.items(restore)["B"].result == "done"

    at.faults()
    at.preview(restore)
    found = at.items(restore)["A"]
    assert found.action == "ambiguous"
    ids = {one["id"] for one in at.there(CATALOG) if one["name"] == "A"}
    assert {one["id"] for one in found.plan["candidates"]} == ids
    restoring.choose(at.stage.db, at.stage.user, restore.id, {found.id: {"target_id": min(ids)}})
    assert again(at, restore).outcome is Outcome.SUCCEEDED
    assert len(at.there(CATALOG)) == 3
