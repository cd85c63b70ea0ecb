"""Objects of which nobody can make anything do not hide the others."""

from __future__ import annotations

from typing import Any, Final

from store.model.records import Outcome
from tests.tasks.operations.restore.conftest import Restoring, settings_policy
from tests.tasks.operations.restore.steps import CATALOG

ODD: Final[dict[str, dict[str, Any]]] = {
    "a tag that is an object": {"roleScopeTagIds": {"a": 1}},
    "a template that is a number": {"templateReference": 7},
    "targets that are none": {"assignments": [{"target": None}, {"target": {"@odata.type": 3}}, {"id": "x"}]},
    "platforms in a list": {"platforms": ["windows10"]},
    "a count that is a word": {"technologies": None, "unknown": "many"},
}


def test_odd_bodies_do_not_end_a_preview(restoring_: Restoring) -> None:
    at = restoring_
    for name, odd in ODD.items():
        at.put("contoso", CATALOG, **{**settings_policy(name), "assignments": [], **odd})
        at.put("fabrikam", CATALOG, **{**settings_policy(name, "else"), "assignments": [], **odd})
    at.put("contoso", CATALOG, **settings_policy("Plain"), assignments=[])
    at.worker()
    restore = at.plan(at.backup(CATALOG), mode="update")
    assert at.preview(restore).outcome is Outcome.SUCCEEDED
    items = at.items(restore)
    assert items["Plain"].action == "create"
    assert {items[name].action for name in ODD} <= {"update", "blocked"}
