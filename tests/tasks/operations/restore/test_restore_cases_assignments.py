"""Cases from public reports (D: restoring assignments) over real HTTP."""

from __future__ import annotations

from typing import Any, Final

import pytest

from store.errors import InputInvalid
from store.intune import restore_mappings
from store.intune.restore_records import Mapped, Restore, RestoreState
from store.model.records import Outcome
from tasks.operations.restore.targets import FILTER_ID, FILTER_TYPE
from tests.tasks.operations.cases import Body
from tests.tasks.operations.restore.conftest import Restoring, settings_policy, to_group
from tests.tasks.operations.restore.plans import everybody, filtered
from tests.tasks.operations.restore.steps import CATALOG, by_name, previewed, skip, tick

FILTERS: Final = "assignment_filters"
RULE: Final = '(device.model -eq "VM")'


def put_filter(at: Restoring, tenant: str, id_: str, name: str = "VMs", **more: Any) -> str:
    body = {"platform": "windows10AndLater", "rule": RULE, "assignmentFilterManagementType": "devices", **more}
    return at.put(tenant, FILTERS, id=id_, displayName=name, roleScopeTags=["0"], payloads=[], **body)


def put_filtered(at: Restoring) -> None:
    """A policy for all devices that a filter lets through, and one that has no filter."""
    put_filter(at, "contoso", "f1")
    at.put("contoso", CATALOG, **settings_policy("Filtered", assignments=[everybody(filter_="f1")]))
    at.put("contoso", CATALOG, **settings_policy("Plain", assignments=[]))


def targets(at: Restoring, name: str, tenant: str = "fabrikam") -> list[Body]:
    return [one["target"] for one in by_name(at, CATALOG, tenant)[name]["assignments"]]


def states(at: Restoring, restore: Restore, name: str) -> list[tuple[str, str]]:
    return [(one["state"], one["code"]) for one in at.items(restore)[name].plan["assignments"]]


def mapped(at: Restoring, restore: Restore) -> dict[str, Mapped]:
    with at.stage.db.read() as connection:
        return {one.source_id: one for one in restore_mappings.mapped(connection, restore.id)}


def put_tagged(at: Restoring, *tags: str) -> None:
    at.put("contoso", "scope_tags", id="11", displayName="Berlin", description="", isBuiltIn=False)
    at.put("contoso", CATALOG, **settings_policy("Tagged", roleScopeTagIds=list(tags), assignments=[]))


# ---- O27


def test_o27a_a_filter_that_is_missing_is_made_first(restoring_: Restoring) -> None:
    at = restoring_
    put_filtered(at)
    restore = previewed(at, CATALOG, FILTERS)
    assert at.actions(restore) == {"create": 3}
    tick(at, restore, "everybody")
    assert at.execute(restore).outcome is Outcome.SUCCEEDED
    (new,) = at.there(FILTERS)
    assert new["rule"] == RULE
    (target,) = targets(at, "Filtered")
    assert (target[FILTER_ID], target[FILTER_TYPE]) == (new["id"], "include")


def test_o27a_a_filter_that_was_left_out_takes_its_assignment_along(restoring_: Restoring) -> None:
    at = restoring_
    put_filtered(at)
    restore = previewed(at, CATALOG, FILTERS)
    skip(at, restore, "VMs")
    at.preview(restore)
    assert states(at, restore, "Filtered") == [("skipped", "restore.filter_missing")]
    assert at.execute(restore).outcome is Outcome.SUCCEEDED
    assert targets(at, "Filtered") == []


@pytest.mark.parametrize(
    ("there", "code"),
    [
        ([{"rule": '(device.model -eq "X")'}], "restore.filter_differs"),
        ([{"platform": "iOS"}], "restore.filter_differs"),
        ([{"assignmentFilterManagementType": "apps"}], "restore.filter_differs"),
        ([{}, {}], "restore.filter_ambiguous"),
    ],
    ids=["b: rule", "c: platform", "management", "e: two"],
)
def test_o27_a_filter_that_is_not_the_same_blocks_with_its_reason(
    restoring_: Restoring, there: list[Body], code: str
) -> None:
    at = restoring_
    put_filtered(at)
    for number, more in enumerate(there):
        put_filter(at, "fabrikam", f"x{number}", **more)
    restore = previewed(at, CATALOG, FILTERS, kinds=(CATALOG,))
    assert [found for found, _ in at.items(restore)["Filtered"].reasons] == [code]
    assert states(at, restore, "Filtered") == [("failed", code)]
    with pytest.raises(InputInvalid, match="blocked"):
        at.execute(restore)
    skip(at, restore, "Filtered")
    assert at.execute(restore).outcome is Outcome.SUCCEEDED
    assert by_name(at, CATALOG).keys() == {"Plain"}


def test_o27b_both_rules_are_shown(restoring_: Restoring) -> None:
    at = restoring_
    put_filtered(at)
    put_filter(at, "fabrikam", "x", rule='(device.model -eq "X")')
    restore = previewed(at, CATALOG, FILTERS)
    ((_, words),) = at.items(restore)["VMs"].reasons
    assert "VM" in words
    assert "-eq" in words
    assert words.count("device.model") == 2


def test_o27d_the_same_filter_under_another_id_is_taken(restoring_: Restoring) -> None:
    at = restoring_
    put_filtered(at)
    put_filter(at, "fabrikam", "x1", rule=f" {RULE}\n")
    restore = previewed(at, CATALOG, FILTERS, kinds=(CATALOG,))
    tick(at, restore, "everybody")
    assert at.execute(restore).outcome is Outcome.SUCCEEDED
    assert [one[FILTER_ID] for one in targets(at, "Filtered")] == ["x1"]


def test_o27_a_filter_that_the_backup_does_not_have_is_not_guessed_by_its_name(restoring_: Restoring) -> None:
    at = restoring_
    put_filtered(at)
    put_filter(at, "fabrikam", "x1")
    restore = previewed(at, CATALOG)
    assert states(at, restore, "Filtered") == [("failed", "restore.filter_missing")]
    run = at.execute(restore)
    assert run.outcome is Outcome.PARTIALLY_SUCCEEDED
    assert (at.items(restore)["Filtered"].result_code, targets(at, "Filtered")) == ("restore.not_kept", [])


def test_two_groups_that_become_one_keep_one_filter(restoring_: Restoring) -> None:
    """The preview of filters that are only about to be made says what then comes true (a variation of O27 and O29)."""
    at = restoring_
    for number in (1, 2):
        put_filter(at, "contoso", f"f{number}", f"Filter {number}", rule=f'(device.model -eq "{number}")')
    both = [filtered("g1", "f1"), filtered("g2", "f2")]
    at.put("contoso", CATALOG, **settings_policy("Merged", assignments=both))
    at.groups("contoso", g1="Sales", g2="Sales DE")
    at.groups("fabrikam", x1="Sales")
    at.worker()
    restore = at.decide(at.plan(at.backup(CATALOG, FILTERS)), g2="x1")
    at.preview(restore)
    assert states(at, restore, "Merged") == [("kept", ""), ("failed", "restore.not_kept")]
    run = at.execute(restore)
    assert run.outcome is Outcome.PARTIALLY_SUCCEEDED
    assert at.items(restore)["Merged"].result_code == "restore.not_kept"
    ids = {one["displayName"]: one["id"] for one in at.there(FILTERS)}
    assert [(one["groupId"], one[FILTER_ID]) for one in targets(at, "Merged")] == [("x1", ids["Filter 1"])]


# ---- O28


def test_o28_a_scope_tag_has_the_id_that_its_name_has_there(restoring_: Restoring) -> None:
    at = restoring_
    put_tagged(at, "0", "11")
    at.put("fabrikam", "scope_tags", id="4", displayName="Berlin", description="", isBuiltIn=False)
    restore = previewed(at, CATALOG)
    assert at.execute(restore).outcome is Outcome.SUCCEEDED
    assert by_name(at, CATALOG)["Tagged"]["roleScopeTagIds"] == ["0", "4"]


def test_o28_a_tag_that_is_missing_is_made_first_or_blocks(restoring_: Restoring) -> None:
    at = restoring_
    put_tagged(at, "0", "11")
    at.put("fabrikam", "scope_tags", id="11", displayName="Wien", description="", isBuiltIn=False)
    alone = previewed(at, CATALOG)
    ((code, words),) = at.items(alone)["Tagged"].reasons
    assert (code, '"Berlin"' in words) == ("restore.dependency", True)
    restore = at.plan(at.backup(CATALOG, "scope_tags"))
    at.preview(restore)
    assert at.execute(restore).outcome is Outcome.SUCCEEDED
    berlin = next(one["id"] for one in at.there("scope_tags") if one["displayName"] == "Berlin")
    assert berlin != "11"
    assert by_name(at, CATALOG)["Tagged"]["roleScopeTagIds"] == ["0", berlin]


def test_o28_an_export_may_name_its_tags(restoring_: Restoring) -> None:
    at = restoring_
    put_tagged(at, "Default", "Berlin")
    at.put("fabrikam", "scope_tags", id="4", displayName="Berlin", description="", isBuiltIn=False)
    restore = previewed(at, CATALOG)
    assert at.execute(restore).outcome is Outcome.SUCCEEDED, at.items(restore)
    assert by_name(at, CATALOG)["Tagged"]["roleScopeTagIds"] == ["0", "4"]


def test_o28_a_tag_that_the_apps_role_does_not_allow_is_told_as_a_missing_right(restoring_: Restoring) -> None:
    at = restoring_
    put_tagged(at, "11")
    at.put("contoso", CATALOG, **settings_policy("Plain", assignments=[]))
    at.put("fabrikam", "scope_tags", id="4", displayName="Berlin", description="", isBuiltIn=False)
    at.target.forbidden_tags.add("0")
    restore = previewed(at, CATALOG)
    assert at.execute(restore).outcome is Outcome.PARTIALLY_SUCCEEDED
    items = at.items(restore)
    assert (items["Tagged"].result, items["Plain"].result_code) == ("done", "graph.forbidden")
    assert "the role of the app" in (items["Plain"].result_message or "")


# ---- O29


def test_o29_groups_are_found_by_exact_names_elsewhere_and_by_id_at_home(restoring_: Restoring) -> None:
    at = restoring_
    ids = ("g1", "g2", "g3", "g4", "g5")
    at.put("contoso", CATALOG, **settings_policy("A", assignments=[to_group(id_) for id_ in ids]))
    at.groups("contoso", g1="Pilot ", g2="Pilot", g3="Sales", g4="Old name", g5="sales")
    at.groups("fabrikam", x1="Pilot ", x2="Pilot", x3="Sales", x4="Sales", x5="New name")
    at.worker()
    set_id = at.backup(CATALOG)
    elsewhere = at.plan(set_id)
    assert {id_: one.target_id for id_, one in mapped(at, elsewhere).items()} == {
        "g1": "x1",
        "g2": "x2",
        "g3": None,
        "g4": None,
        "g5": None,
    }
    assert elsewhere.status is RestoreState.SCOPED
    with pytest.raises(InputInvalid, match="not decided on"):
        at.preview(elsewhere)
    at.groups("contoso", g1="Pilot ", g2="Pilot", g3="Sales", g4="New name")
    home = mapped(at, at.plan(set_id, "contoso"))
    assert (home["g4"].target_id, home["g4"].target_name, home["g4"].found_by) == ("g4", "New name", "id")
    assert (home["g5"].decision, home["g5"].source_name) == ("unresolved", "sales")


# ---- O30


def test_o30_everybody_wants_a_tick_in_another_tenant_alone(restoring_: Restoring) -> None:
    at = restoring_
    at.put("contoso", CATALOG, **settings_policy("All", assignments=[everybody()]))
    at.put("contoso", CATALOG, **settings_policy("Users", assignments=[everybody("allLicensedUsers")]))
    at.put("contoso", CATALOG, **settings_policy("Nobody", assignments=[]))
    restore = previewed(at, CATALOG)
    needs = {name: one.needs for name, one in at.items(restore).items()}
    assert needs == {"All": ("everybody",), "Users": ("everybody",), "Nobody": ()}
    with pytest.raises(InputInvalid, match="everybody"):
        at.execute(restore)
    tick(at, restore, "everybody")
    assert at.execute(restore).outcome is Outcome.SUCCEEDED
    assert [one["@odata.type"].rpartition(".")[2] for one in targets(at, "All")] == ["allDevicesAssignmentTarget"]

    set_id = restore.backup_set_id
    for one in at.there(CATALOG, "contoso"):
        at.source.delete(CATALOG, one["id"])
    home, run = at.restored(set_id, "contoso")
    assert {one.needs for one in at.items(home).values()} == {()}
    assert run.outcome is Outcome.SUCCEEDED


@pytest.mark.parametrize(("tenant", "needs"), [("fabrikam", ("everybody",)), ("contoso", ())])
def test_a_role_over_everybody_wants_a_tick_in_another_tenant_alone(
    restoring_: Restoring, tenant: str, needs: tuple[str, ...]
) -> None:
    """A variation of O30: who is given a role for all devices or all users may do something to everybody there."""
    at = restoring_
    role = at.put("contoso", "role_definitions", displayName="Helpdesk", isBuiltIn=False, rolePermissions=[])
    more = {"roleDefinition": {"id": role, "displayName": "Helpdesk"}, "members": ["g1"]}
    for name, scope in (("All", "allDevicesAndLicensedUsers"), ("Some", "resourceScope")):
        at.put("contoso", "role_assignments", displayName=name, scopeType=scope, resourceScopes=[], **more)
    at.groups("contoso", g1="Sales")
    at.groups("fabrikam", x1="Sales")
    at.worker()
    set_id = at.backup("role_definitions", "role_assignments")
    for one in list(at.source.objects["role_assignments"]):
        at.source.delete("role_assignments", one)
    restore = at.plan(set_id, tenant=tenant)
    at.preview(restore)
    assert {name: at.items(restore)[name].needs for name in ("All", "Some")} == {"All": needs, "Some": ()}
