"""The table of kinds: complete, without contradictions, and read by the paths and permissions that Graph has."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from tasks.graph.resource import KindName
from tasks.graph.resources import BY_NAME, KINDS, permission_for, resource_at
from tasks.graph.simulator.collections import COLLECTIONS
from tasks.graph.versions import version_of


def test_every_kind_stands_in_the_table_once() -> None:
    assert [kind.name for kind in KINDS] == list(get_args(KindName))
    assert len({kind.path for kind in KINDS}) == len({kind.label for kind in KINDS}) == len(KINDS) == 23


def test_the_simulator_knows_every_path() -> None:
    paths = {path for kind in KINDS for path in (kind.path, *kind.typed_paths.values())}
    assert paths == {collection.path for collection in COLLECTIONS}
    for collection in COLLECTIONS:
        assert resource_at(collection.path) is BY_NAME[collection.kind]


def test_intune_is_read_through_beta_and_the_directory_through_v1() -> None:
    assert {version_of(kind.path) for kind in KINDS} == {"beta"}
    assert version_of("/DeviceManagement/configurationPolicies('1')/settings") == "beta"
    assert version_of("/groups/delta") == version_of("/directoryObjects/getByIds") == "v1.0"
    assert version_of("/deviceManagementOfAnother/x") == "v1.0"


@pytest.mark.parametrize(
    ("path", "writing", "permission"),
    [
        ("/beta/deviceManagement/deviceShellScripts/1/assign", True, "DeviceManagementScripts.ReadWrite.All"),
        ("/deviceManagement/deviceManagementScripts", False, "DeviceManagementScripts.Read.All"),
        ("/beta/deviceManagement/roleScopeTags('0')", False, "DeviceManagementRBAC.Read.All"),
        ("/beta/deviceAppManagement/iosManagedAppProtections/1", False, "DeviceManagementApps.Read.All"),
        ("/beta/deviceManagement/roleScopeTagsOfAnother", False, ""),
        ("/v1.0/groups/delta", False, "GroupMember.Read.All"),
    ],
)
def test_a_path_names_its_permission(path: str, writing: bool, permission: str) -> None:
    assert permission_for(path, writing=writing) == permission


def test_places_can_be_read() -> None:
    key = r"@?[A-Za-z]+(?:\[\])?"
    for kind in KINDS:
        places = [*kind.volatile, *kind.sets, *kind.strip, *(place.path for place in kind.secrets)]
        for place in [*places, *(reference.place.path for reference in kind.references)]:
            assert re.fullmatch(rf"(\*\*\.)?{key}(\.{key})*", place), place
        assert {reference.to for reference in kind.references} <= {*BY_NAME, "groups"}


def test_what_is_referred_to_is_restored_before() -> None:
    for kind in KINDS:
        for reference in kind.references:
            if reference.to not in ("groups", kind.name):
                assert BY_NAME[reference.to].order < kind.order


def test_an_object_is_read_at_the_path_of_its_type() -> None:
    policies = BY_NAME["managed_app_policies"]
    ios = {"id": "1", "@odata.type": "#microsoft.graph.iosManagedAppProtection"}
    assert policies.item_path(ios) == "/deviceAppManagement/iosManagedAppProtections/1"
    assert policies.item_path({"id": "1"}) == "/deviceAppManagement/managedAppPolicies/1"
