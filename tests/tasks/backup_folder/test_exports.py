"""Exports of other tools, as items of a backup."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from store.errors import InputInvalid
from store.intune.backup_records import BackupItem, BackupKind, ItemReference
from tasks.backup_folder import read, write
from tests.tasks.backup_folder.bodies import GROUP, GUID, TARGET, items, left, put

CATALOG = {"name": "Edge", "settings": [], "technologies": "mdm", "platforms": "windows10"}
FILTER_ID = "22222222-2222-3333-4444-555555555555"
UNKNOWN = ("assignments_unknown", "not in the export")


def one(folder: Path) -> BackupItem:
    (found,) = items(read(folder))
    return found


def test_an_export_of_intunemanagement(out: Path) -> None:
    body = {
        "@odata.context": "https://graph.microsoft.com/beta/$metadata#deviceManagement/configurationPolicies"
        "(assignments(),settings())/$entity",
        "id": GUID,
        "assignments@odata.associationLink": "https://graph.microsoft.com/beta/x",
        "assignments": [{"id": "a1", "target": {**TARGET, "deviceAndAppManagementAssignmentFilterId": FILTER_ID}}],
        "name": "Edge",
        "roleScopeTagIds": ["7"],
    }
    put(out, "SettingsCatalog/Edge.json", b"\xff\xfe" + json.dumps(body).encode("utf-16-le"))
    put(out, "AssignmentFilters/f.json", {"id": FILTER_ID, "displayName": "VMs", "platform": "x", "rule": "y"})
    table = {"TenantId": "t", "Objects": [{"Id": GROUP, "DisplayName": "Pilot ", "Type": "Group"}, 7, {}]}
    put(out, "MigrationTable.json", table)
    folder = read(out)
    assert not folder.is_ours
    assert (folder.manifest.tenant, folder.manifest.created_at) == ("", None)
    assert set(folder.manifest.kinds) == {
        BackupKind("configuration_policies", 1, 1),
        BackupKind("assignment_filters", 1, 1),
    }
    filter_, policy = items(folder)
    assert (filter_.assignments, filter_.gaps) == ([], ())
    assert policy.body == {"id": GUID, "name": "Edge", "roleScopeTagIds": ["7"]}
    assert (policy.external_id, policy.assignments, policy.gaps) == (GUID, body["assignments"], ())
    assert set(policy.references) == {
        ItemReference("groups", GROUP, "Pilot "),
        ItemReference("assignment_filters", FILTER_ID, "VMs"),
        ItemReference("scope_tags", "7", None),
    }
    assert left(out) == {}


def test_an_export_of_intunecd(out: Path) -> None:
    target = {
        "@odata.type": TARGET["@odata.type"],
        "groupName": "All",
        "deviceAndAppManagementAssignmentFilterId": "VMs",
    }
    body = {**CATALOG, "roleScopeTagIds": ["Default"], "assignments": [{"source": "direct", "target": target}]}
    put(out, "Settings Catalog/Edge_mdm.json", body)
    found = one(out)
    assert set(found.references) == {
        ItemReference("scope_tags", "Default", "Default"),
        ItemReference("groups", "All", "All"),
        ItemReference("assignment_filters", "VMs", "VMs"),
    }
    assert (found.name, found.platform) == ("Edge", "windows10")
    put(out, "Settings Catalog/Another.json", CATALOG)
    assert found in items(read(out)), "its made id changed"


@pytest.mark.parametrize(
    ("body", "gaps"),
    [
        (CATALOG, {UNKNOWN}),
        ({**CATALOG, "assignments": None}, {UNKNOWN}),
        ({**CATALOG, "assignments": []}, set()),
        (
            {"@odata.type": "#microsoft.graph.deviceManagementScript", "displayName": "x", "scriptContent": None},
            {UNKNOWN, ("content_missing", "scriptContent: empty")},
        ),
        (
            {
                "@odata.type": "#microsoft.graph.windows10CustomConfiguration",
                "displayName": "x",
                "omaSettings": [{"isEncrypted": True, "value": "****"}],
                "assignments": [],
            },
            {("secret_unreadable", "1 secret value not readable")},
        ),
    ],
)
def test_what_is_missing_is_said(out: Path, body: dict[str, Any], gaps: set[tuple[str, str]]) -> None:
    put(out, "x.json", body)
    found = one(out)
    assert set(found.gaps) == gaps
    assert (found.assignments is None) == (found.assignments_hash is None) == (UNKNOWN in gaps)


def test_assignments_in_a_file_of_their_own_are_joined(out: Path) -> None:
    put(out, "Settings Catalog/Edge.json", CATALOG)
    put(out, "Settings Catalog/Assignments/Edge.json", [{"target": {**TARGET, "groupName": "Sales"}}])
    found = one(out)
    assert found.gaps == ()
    assert found.references == (ItemReference("groups", GROUP, "Sales"),)


def test_groups_give_their_names_alone(out: Path) -> None:
    put(out, "g.json", {"@odata.type": "#microsoft.graph.group", "id": GROUP.upper(), "displayName": "Sales"})
    put(out, "x.json", {**CATALOG, "assignments": [{"target": TARGET}]})
    assert one(out).references == (ItemReference("groups", GROUP, "Sales"),)


def test_what_gives_no_item_is_named(out: Path) -> None:
    put(out, "a.json", {**CATALOG, "id": "1"})
    put(out, "b.json", {**CATALOG, "id": "1"})
    put(out, "c.json", b"{")
    put(out, "d.json", {"@odata.type": "#microsoft.graph.iosMobileAppConfiguration", "displayName": "x"})
    put(out, "f.json", {**CATALOG, "id": "x" * 501})
    put(out, "MigrationTable.json", b"{")
    put(out, "backup.json", {"made": "by another tool"})
    (out / "e.json").symlink_to("/etc/hostname")
    assert left(out) == {
        "b.json": "the same object as in a.json",
        "f.json": "id: longer than 500 characters",
        "c.json": "not JSON at line 1",
        "d.json": "iosMobileAppConfiguration",
        "e.json": "a link that leads out of the folder",
        "MigrationTable.json": "not JSON at line 1",
        "backup.json": "no type, keys made",
    }
    assert len(items(read(out))) == 1


@pytest.mark.parametrize("content", [b"{", b"[]", None])
def test_a_folder_without_objects_is_refused_in_one_line(out: Path, content: bytes | None) -> None:
    if content is not None:
        put(out, "x\ny.json", content)
    with pytest.raises(InputInvalid, match="holds no object of a known kind") as caught:
        read(out)
    assert "\n" not in str(caught.value)


def test_an_export_becomes_a_set_of_ours(out: Path) -> None:
    put(out / "theirs", "Settings Catalog/Edge.json", {**CATALOG, "roleScopeTagIds": ["Default"]})
    theirs = read(out / "theirs")
    write(out / "ours", theirs.manifest, items(theirs))
    ours = read(out / "ours")
    assert ours.manifest == theirs.manifest
    assert list(ours) == items(theirs)
