"""Folders of ours as people hand them over: unfinished, damaged, edited, hostile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from store.errors import InputInvalid
from tasks.backup_folder import files as folder_files
from tasks.backup_folder import read, write
from tests.tasks.backup_folder.bodies import GROUP, GUID, MANIFEST, TARGET, item, items, left, put

DAMAGED = {"format": "opsmon backup", "version": 1, "tenant": "contoso", "name": "x", "kinds": []}
OTHER = "99999999-2222-3333-4444-555555555555"


@pytest.fixture
def made(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    write(folder, MANIFEST, [item(), item("Good", "good")])
    return folder


def edited(folder: Path, **changes: Any) -> Path:
    """The file of the object Edge, with these keys changed."""
    (path,) = folder.rglob("Edge_*.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return path


def edge(folder: Path) -> Any:
    (found,) = (one for one in items(read(folder)) if one.external_id == GUID)
    return found


def test_it_can_be_read_twice(made: Path) -> None:
    folder = read(made)
    assert folder.is_ours
    assert list(folder) == list(folder) == [item(), item("Good", "good")]


def test_one_that_was_not_finished_is_refused(made: Path) -> None:
    (made / "backup.json").unlink()
    with pytest.raises(InputInvalid, match=r"was not finished: it has no backup\.json: export it again"):
        read(made)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'{"format": "opsmon backup", "ver', "not JSON at line 1"),
        ({"format": "opsmon backup", "version": 2}, "of a version that is not 1"),
        ({"format": "opsmon backup", "version": 1}, "kinds: not a list"),
        ({**DAMAGED, "items": 10**9 + 1}, "items: not a number"),
        ({**DAMAGED, "items": True}, "items: not a number"),
    ],
)
def test_a_damaged_manifest_is_refused_in_one_line(made: Path, content: object, why: str) -> None:
    put(made, "backup.json", content)
    with pytest.raises(InputInvalid, match=rf"backup\.json cannot be read: {why}"):
        read(made)


def test_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputInvalid, match="is no folder"):
        read(tmp_path / "gone")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"{", "not JSON at line 1"),
        (b"", "empty"),
        ([], "not an object"),
        ({"kind": "../../x", "id": "1", "body": {}}, "not a known kind: ../../x"),
        ({"kind": "new\nkind", "id": "1", "body": {}}, "not a known kind: new?kind"),
        ({"kind": "groups", "id": "1", "body": {}}, "not a known kind: groups"),
        ({"kind": "scripts", "id": "", "body": {}}, "id: not a text"),
        ({"kind": "scripts", "id": "x" * 501, "body": {}}, "id: longer than 500 characters"),
        ({"kind": "scripts", "id": "1", "body": []}, "body: not an object"),
        ({"kind": "scripts", "id": "1", "body": {}, "assignments": [1]}, "assignments: not a list of objects"),
        ({"kind": "scripts", "id": "1", "body": {"assignments": []}}, "body: has assignments, which belong beside it"),
        ({"kind": "scripts", "id": "1", "body": {}, "name": 1}, "name: not a text"),
        (
            {"kind": "scripts", "id": "1", "body": {}, "references": [{"kind": "x", "id": "1"}]},
            "references: not a known kind: x",
        ),
        (
            {"kind": "scripts", "id": "1", "body": {}, "gaps": [{"code": "whole", "detail": ""}]},
            "gaps: not a known code: whole",
        ),
        ({"kind": "configuration_policies", "id": "good", "body": {}}, "the same object as in configuration_policies/"),
    ],
)
def test_a_bad_file_is_named_and_the_others_are_read(made: Path, content: object, why: str) -> None:
    put(made, "zzz/bad.json", content)
    ((path, reason),) = left(made).items()
    assert path == "zzz/bad.json"
    assert reason.startswith(why)
    assert items(read(made)) == [item(), item("Good", "good")]


def test_a_file_that_is_gone_is_told(made: Path) -> None:
    edited(made).unlink()
    assert left(made) == {"backup.json": "2 objects were written, 1 files are left"}


def test_a_file_that_is_too_large_is_named(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_files, "LARGEST", 2_000_000)
    put(made, "large.json", b" " * 2_000_001)
    assert left(made) == {"large.json": "larger than 2 MB"}


def test_links_do_not_lead_out(made: Path, tmp_path: Path) -> None:
    outside = {"kind": "scripts", "id": "1", "body": {"displayName": "outside"}}
    put(tmp_path, "outside/x.json", outside)
    (made / "file.json").symlink_to(tmp_path / "outside" / "x.json")
    (made / "folder").symlink_to(tmp_path / "outside")
    (made / "circle.json").symlink_to(made / "circle.json")
    assert left(made) == {
        "file.json": "a link that leads out of the folder",
        "folder": "a link to a folder, which is not followed",
        "circle.json": "not a file",
    }
    assert len(items(read(made))) == 2


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_a_file_that_an_editor_saved_otherwise_is_read(made: Path, encoding: str) -> None:
    path = edited(made)
    path.write_text(path.read_text(), encoding=encoding)
    assert edge(made) == item()


def test_an_edited_body_counts(made: Path) -> None:
    edited(made, body={"id": GUID, "name": "Edge 2", "platforms": "macOS", "x@odata.count": 3}, content_hash="forged")
    assert edge(made) == item("Edge 2", platforms="macOS")


def test_edited_assignments_count(made: Path) -> None:
    names = [{"kind": "groups", "id": GROUP, "name": "Gone"}, {"kind": "groups", "id": OTHER.upper(), "name": "Kept"}]
    other = {"target": {**TARGET, "groupId": OTHER}}
    edited(made, assignments=[other, {"target": {"groupName": "By name"}}], references=names)
    found = edge(made)
    assert [(one.id, one.name) for one in found.references] == [(OTHER.upper(), "Kept"), ("By name", "By name")]
    assert found.assignments_hash != item().assignments_hash
    assert found.canonical_hash == item().canonical_hash


def test_assignments_that_are_taken_away_are_unknown(made: Path) -> None:
    edited(made, assignments=None)
    found = edge(made)
    assert (found.assignments, found.assignments_hash) == (None, None)
    assert found.gaps == (("assignments_unknown", "not in the export"),)


def test_gaps_follow_the_body(out: Path) -> None:
    script = item("Edge", kind="scripts", scriptContent=None)
    assert script.gaps == (("content_missing", "scriptContent: empty"),)
    write(out, MANIFEST, [script])
    lost = {"code": "reference_lost", "detail": "rootCertificate: status 403"}
    gaps = [{"code": "content_missing", "detail": "scriptContent: empty"}, lost]
    edited(out, body={**script.body, "scriptContent": "ZQ=="}, gaps=gaps)
    assert edge(out).gaps == (("reference_lost", "rootCertificate: status 403"),)
