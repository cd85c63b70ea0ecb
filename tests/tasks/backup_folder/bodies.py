"""Items and files for tests of backup folders."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from store.intune.backup_records import BackupItem
from tasks.backup_folder import BackupFolder, Manifest, Unreadable, read
from tasks.backup_folder.items import Found, item_of
from tasks.graph.resources import BY_NAME

MANIFEST = Manifest("contoso", "nightly", None)
GUID = "7c1d0f5e-8a1b-4c2d-9e3f-0123456789ab"
GROUP = "11111111-2222-3333-4444-555555555555"
TARGET = {"@odata.type": "#microsoft.graph.groupAssignmentTarget", "groupId": GROUP}


def item(name: str = "Edge", id_: str = GUID, kind: str = "configuration_policies", **body: Any) -> BackupItem:
    field = BY_NAME[kind].name_field
    return item_of(Found(BY_NAME[kind], id_, {"id": id_, field: name, **body}, [{"id": "a", "target": TARGET}]))


def items(folder: BackupFolder) -> list[BackupItem]:
    return [one for one in folder if isinstance(one, BackupItem)]


def left(folder: Path) -> dict[str, str]:
    return {one.path: one.why for one in read(folder) if isinstance(one, Unreadable)}


def files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def put(folder: Path, name: str, content: object) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path
