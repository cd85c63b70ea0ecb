"""What in the target an item is: by id in the same tenant, else by exact name among its like."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.graph.resources import BY_NAME
from tasks.operations.restore.matching import Match, find_definition, match, resolve_tag
from tests.tasks.operations.cases import Body, typed


def matched(kind: str, body: Body, *candidates: Body, same_tenant: bool = False) -> Match:
    name = str(body.get("displayName") or body.get("name") or "")
    return match(BY_NAME[kind], name, str(body.get("id", "")), body, candidates, same_tenant=same_tenant)


def named(id_: str, name: str, type_: str = "", **more: Any) -> Body:
    return {**(typed(type_) if type_ else {}), "id": id_, "displayName": name, **more}


IOS, WINDOWS = "iosGeneralDeviceConfiguration", "windows10GeneralConfiguration"


# ---- by id, by name


def test_in_the_same_tenant_the_id_tells_even_if_it_was_renamed() -> None:
    target = [named("b", "Wi-Fi", IOS), named("A", "renamed", IOS)]
    item = named("a", "Wi-Fi", IOS)
    assert matched("device_configurations", item, *target, same_tenant=True).id == "A"
    assert matched("device_configurations", item, *target).id == "b"
    assert matched("device_configurations", item, target[0], same_tenant=True).id == "b"


def test_in_another_tenant_the_same_id_is_chance() -> None:
    assert matched("device_configurations", named("a", "x"), named("a", "y")).state == "none"


@pytest.mark.parametrize("name", ["Pilot", "pilot ", " Pilot ", "Pilot  "])
def test_blanks_and_case_of_a_name_count(name: str) -> None:
    assert matched("scripts", named("a", "Pilot "), named("b", name)) == Match("none")
    assert matched("scripts", named("a", "Pilot "), named("b", name), named("c", "Pilot ")).id == "c"


def test_two_of_the_name_are_ambiguous_and_told() -> None:
    found = matched("scripts", named("a", "Sales"), named("b", "Sales"), named("c", "Sales"))
    assert (found.state, found.id) == ("ambiguous", "")
    assert [(one.id, one.name) for one in found.candidates] == [("b", "Sales"), ("c", "Sales")]
    assert "b, c" in found.words


def test_another_type_or_platform_of_that_name_is_another_object() -> None:
    assert matched("device_configurations", named("a", "x", IOS), named("b", "x", WINDOWS)).state == "none"
    assert matched("device_configurations", named("a", "x", IOS), named("b", "x")).id == "b"
    assert matched("device_configurations", named("a", "x", IOS), named("b", "x", IOS.upper())).id == "b"
    item, other = {"name": "x", "platforms": "macOS"}, {"id": "b", "name": "x", "platforms": "windows10"}
    assert matched("configuration_policies", item, other).state == "none"
    assert matched("configuration_policies", item, {**other, "platforms": "macOS"}).id == "b"


def test_a_name_that_is_missing_matches_nothing() -> None:
    assert matched("scripts", {}, {"id": "b", "displayName": ""}).state == "none"


# ---- filters


def filter_(id_: str, rule: str = "(device.x -eq 1)", **more: Any) -> Body:
    same = {"platform": "windows10AndLater", "assignmentFilterManagementType": "devices"}
    return named(id_, "Pilot", rule=rule, **{**same, **more})


def test_a_filter_is_the_same_with_the_same_rule_and_platform() -> None:
    assert matched("assignment_filters", filter_("f1"), filter_("f7", " (device.x -eq 1)\n")).id == "f7"
    bare = {key: value for key, value in filter_("f7").items() if key != "assignmentFilterManagementType"}
    assert matched("assignment_filters", filter_("f1"), bare).state == "found"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"rule": "(device.x -eq  1)"}, ['"(device.x -eq 1)"', '"(device.x -eq  1)"']),
        ({"rule": "(DEVICE.x -eq 1)"}, ['"(device.x -eq 1)"', '"(DEVICE.x -eq 1)"']),
        ({"platform": "iOS"}, ['"iOS"', '"windows10AndLater"']),
        ({"assignmentFilterManagementType": "apps"}, ['"apps"', '"devices"']),
    ],
)
@pytest.mark.parametrize("same_tenant", [False, True])
def test_another_rule_or_platform_differs_with_both_in_words(
    change: dict[str, Any], told: list[str], same_tenant: bool
) -> None:
    found = matched("assignment_filters", filter_("f1"), filter_("f1", **change), same_tenant=same_tenant)
    assert (found.state, found.id) == ("differs", "f1")
    assert all(one in found.words for one in told)
    assert found.words.isprintable()


def test_two_filters_of_the_name_are_ambiguous_even_if_one_is_the_same() -> None:
    assert matched("assignment_filters", filter_("f1"), filter_("f2"), filter_("f3", "other")).state == "ambiguous"
    assert matched("assignment_filters", filter_("f1")).state == "none"


# ---- scope tags

TAGS = [named("0", "Default", isBuiltIn=True), named("4", "Berlin", isBuiltIn=False), named("11", "Paris")]


@pytest.mark.parametrize(
    ("tag", "names", "id_"),
    [
        ("0", {}, "0"),
        ("0", {"0": "Standard"}, "0"),
        ("Default", {}, "0"),
        ("11", {"11": "Berlin"}, "4"),
        ("11", {"11": "Rome"}, ""),
        ("11", {}, ""),
        ("11", {"11": None}, ""),
        ("Berlin", {}, "4"),
        ("berlin", {}, ""),
    ],
)
def test_a_tag_goes_by_its_name_never_by_its_number(tag: str, names: dict[str, str | None], id_: str) -> None:
    assert resolve_tag(tag, names, TAGS, same_tenant=False).id == id_


def test_a_tag_keeps_its_number_in_its_tenant() -> None:
    assert resolve_tag("11", {"11": "Berlin"}, TAGS, same_tenant=True).id == "11"
    assert "scope tag 9" in resolve_tag("9", {}, TAGS, same_tenant=True).words


def test_the_built_in_tag_is_there_even_if_it_is_not_listed() -> None:
    assert matched("scope_tags", named("0", "Standard"), TAGS[1]).id == "0"
    assert matched("scope_tags", named("7", "Standard", isBuiltIn=True), *TAGS).assignments_only
    assert matched("scope_tags", named("7", "Berlin"), *TAGS).id == "4"


# ---- what cannot be made


def test_a_built_in_role_is_found_by_name_or_not_at_all() -> None:
    item = named("r1", "Help Desk", isBuiltIn=True)
    found = matched("role_definitions", item, named("r2", "Help Desk", isBuiltIn=True))
    assert (found.id, found.assignments_only) == ("r2", True)
    assert matched("role_definitions", item).state == "not_makeable"
    own = named("r1", "Help Desk", isBuiltIn=False)
    assert matched("role_definitions", own, named("r2", "Help Desk", isBuiltIn=True)).state == "none"


LIMIT, RESTRICTIONS = "deviceEnrollmentLimitConfiguration", "deviceEnrollmentPlatformRestrictionsConfiguration"
EVERY = "All users and all devices"


def test_a_default_of_enrollment_is_found_by_what_it_is() -> None:
    target = [
        named("t2_DefaultPlatformRestrictions", EVERY, RESTRICTIONS),
        named("t2_DefaultLimit", "renamed", LIMIT),
        named("t2_Custom", EVERY, LIMIT),
    ]
    found = matched("enrollment_configurations", named("t1_DefaultLimit", EVERY, LIMIT), *target)
    assert (found.id, found.assignments_only) == ("t2_DefaultLimit", False)
    by_type = named("exported", EVERY, LIMIT, deviceEnrollmentConfigurationType="defaultLimit")
    assert matched("enrollment_configurations", by_type, *target).id == "t2_DefaultLimit"
    own = named("t1_Own", EVERY, LIMIT, deviceEnrollmentConfigurationType="limit")
    assert matched("enrollment_configurations", own, *target).id == "t2_Custom"
    assert matched("enrollment_configurations", own, *target[:2]).state == "none"
    assert matched("enrollment_configurations", by_type).state == "not_makeable"


@pytest.mark.parametrize(
    ("type_", "more", "why"),
    [
        ("win32LobApp", {"publishingState": "published", "committedContentVersion": "2"}, "package"),
        ("win32LobApp", {}, "package"),
        ("macOSPkgApp", {}, "package"),
        ("macOSDmgApp", {}, "package"),
        ("iosLobApp", {}, "package"),
        ("windowsUniversalAppX", {}, "package"),
        ("someNewApp", {"committedContentVersion": "1"}, "package"),
        ("iosVppApp", {}, "store"),
        ("macOsVppApp", {}, "store"),
        ("androidManagedStoreApp", {}, "store"),
        ("managedIOSStoreApp", {"appAvailability": "global"}, "own"),
    ],
)
def test_apps_that_cannot_be_made_are_found_or_told(type_: str, more: dict[str, Any], why: str) -> None:
    item = named("a", "App", type_, **more)
    missing = matched("mobile_apps", item, named("b", "App", "webApp"))
    assert missing.state == "not_makeable"
    assert why in missing.words
    found = matched("mobile_apps", item, named("b", "App", type_))
    assert (found.id, found.assignments_only) == ("b", True)


@pytest.mark.parametrize("type_", ["winGetApp", "officeSuiteApp", "webApp", "iosStoreApp", "managedAndroidStoreApp"])
def test_apps_without_a_package_can_be_made(type_: str) -> None:
    item = named("a", "App", type_, publishingState="published", committedContentVersion=None)
    assert matched("mobile_apps", item) == Match("none")
    assert not matched("mobile_apps", item, named("b", "App", type_)).assignments_only


def test_a_script_of_microsofts_own_is_only_found() -> None:
    item = named("a", "Restart", isGlobalScript=True)
    assert matched("health_scripts", item).state == "not_makeable"
    assert matched("health_scripts", item, named("b", "Restart", isGlobalScript=True)).assignments_only
    assert matched("health_scripts", item, named("b", "Restart", isGlobalScript=False)).state == "not_makeable"
    assert matched("health_scripts", named("a", "Restart", isGlobalScript=False)) == Match("none")


@pytest.mark.parametrize("kind", ["notification_templates", "reusable_settings"])
def test_other_kinds_go_by_name(kind: str) -> None:
    assert matched(kind, named("a", "x"), named("b", "x")).id == "b"


# ---- definitions of administrative templates


def definition(id_: str, **more: Any) -> Body:
    same = {"classType": "user", "displayName": "Home page", "categoryPath": "\\Acme\\Browser"}
    return {"id": id_, **same, "policyType": "admxIngested", **more}


def test_a_definition_of_an_uploaded_file_has_another_id_in_another_tenant() -> None:
    target = [definition("d1", displayName="Other"), definition("d8", classType="machine"), definition("d7")]
    assert find_definition(definition("d1"), target).id == "d7"
    missing = find_definition(definition("d1", categoryPath="\\Other"), target)
    assert missing.state == "not_makeable"
    assert '"Home page"' in missing.words


def test_two_uploads_of_a_definition_are_ambiguous_unless_one_is_the_same() -> None:
    assert find_definition(definition("d1"), [definition("d7"), definition("d8")]).state == "ambiguous"
    assert find_definition(definition("d8"), [definition("d7"), definition("d8")]).id == "d8"


def test_a_built_in_definition_has_the_same_id_everywhere() -> None:
    assert find_definition(definition("d1", policyType="admxBacked"), []).id == "d1"
