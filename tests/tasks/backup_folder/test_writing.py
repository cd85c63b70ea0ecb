"""What a written folder holds, who may read it, and what is refused."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import resource
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from store.errors import InputInvalid
from store.intune.backup_records import BackupItem, BackupKind
from tasks.backup_folder import Manifest, read, write
from tests.tasks.backup_folder.bodies import GROUP, GUID, MANIFEST, TARGET, files, item


def test_an_object_is_one_readable_file(tmp_path: Path) -> None:
    made = tmp_path / "deep" / "out"
    written = write(made, MANIFEST, [item("VPN: Köln", z=1, a=2)])
    path = made / "configuration_policies" / f"VPN-Koln_{GUID}.json"
    text = path.read_text(encoding="utf-8")
    assert text.startswith('{\n  "kind": "configuration_policies",\n')
    assert text.endswith("}\n")
    assert "VPN: Köln" in text
    loaded = json.loads(text)
    assert list(loaded) == ["kind", "id", "name", "platform", "body", "assignments", "references", "gaps"]
    assert list(loaded["body"]) == ["id", "name", "z", "a"]
    assert loaded["assignments"] == [{"id": "a", "target": TARGET}]
    assert loaded["references"] == [{"kind": "groups", "id": GROUP, "name": None}]
    assert (written.folder, written.items) == (made, 1)
    assert written.bytes == sum(path.stat().st_size for path in files(made))


def test_the_manifest_says_whose_set_it_is(out: Path) -> None:
    at = dt.datetime(2026, 3, 1, 2, 3, 4, tzinfo=dt.UTC)
    kinds = (BackupKind("scripts", 3, 2, "graph.forbidden", "status 403"), BackupKind("intents", 1, 1))
    manifest = Manifest("contoso", "nightly 🔒", at, kinds)
    write(out, manifest, [item()])
    assert read(out).manifest == manifest
    loaded = json.loads((out / "backup.json").read_text(encoding="utf-8"))
    assert (loaded["format"], loaded["version"], loaded["items"]) == ("opsmon backup", 1, 1)


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    made = tmp_path / "out"
    write(made, MANIFEST, [item()])
    modes = {stat.S_IMODE(path.stat().st_mode) for path in files(made)}
    folders = {stat.S_IMODE(path.stat().st_mode) for path in (made, made / "configuration_policies")}
    assert (modes, folders) == ({0o600}, {0o700})


def test_items_are_taken_one_by_one_and_the_manifest_comes_last(out: Path) -> None:
    def taken() -> Iterator[BackupItem]:
        for number in range(3):
            assert len(list(files(out))) == number
            yield item(id_=str(number))
        assert not (out / "backup.json").exists()

    assert write(out, MANIFEST, taken()).items == 3
    assert (out / "backup.json").exists()


def test_a_folder_with_something_in_it_is_refused(out: Path) -> None:
    (out / "mine.txt").write_text("x")
    with pytest.raises(InputInvalid, match="is not empty: give a new or an empty folder"):
        write(out, MANIFEST, [item()])
    with pytest.raises(InputInvalid, match="is no folder"):
        write(out / "mine.txt", MANIFEST, [item()])
    assert [path.name for path in files(out)] == ["mine.txt"]


def test_an_object_twice_is_refused_and_not_overwritten(out: Path) -> None:
    with pytest.raises(InputInvalid, match="is there already"):
        write(out, MANIFEST, [item(description="first"), item(description="second")])
    (path,) = files(out)
    assert "first" in path.read_text()


@pytest.mark.parametrize("kind", ["../../x", "", "a/b", "..", "Con"])
def test_no_kind_leads_out_of_the_folder(tmp_path: Path, kind: str) -> None:
    made = tmp_path / "in" / "out"
    with pytest.raises(InputInvalid, match="no name of a kind"):
        write(made, MANIFEST, [dataclasses.replace(item(), kind=kind)])
    assert list(files(tmp_path)) == []


def test_what_cannot_be_made_is_named_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputInvalid, match=r"file/o\?ut cannot be written \(Not a directory\)") as caught:
        write(tmp_path / "file" / "o\nut", MANIFEST, [item()])
    assert "\n" not in str(caught.value)


def test_a_full_disk_is_named_with_the_file(out: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4000, hard))
    try:
        with pytest.raises(InputInvalid, match=rf"{GUID}\.json cannot be written \(File too large\)"):
            write(out, MANIFEST, [item(id_="1"), item(description="x" * 9000)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not (out / "backup.json").exists()
