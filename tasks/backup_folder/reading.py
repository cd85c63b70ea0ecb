"""Reads a backup set from a folder: one that `write` made, or the export of another tool.

Nothing in the folder is trusted: hashes are made again, names of files and folders mean nothing, links do not lead out of
it. What cannot be read is named, and the rest goes on.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from store.errors import InputInvalid
from store.intune.backup_records import BackupItem, BackupKind
from tasks.backup_folder import exports, files
from tasks.backup_folder import manifest as manifests
from tasks.backup_folder.items import item_of
from tasks.backup_folder.manifest import Manifest
from tasks.backup_folder.records import found_in
from tasks.graph.simulator.folder_contents import path_text
from tasks.graph.simulator.folder_decoding import UnreadableError
from tasks.graph.simulator.folder_report import plain

_LONGEST_PATH: Final = 1000


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something in the folder that gives no item."""

    #: Within the folder, with `/`, printable.
    path: str
    #: In a few words; nothing of a body is in them but a type or the names of keys.
    why: str


@dataclass(frozen=True, slots=True)
class BackupFolder:
    """A set in a folder. To iterate gives each item, or what could not be read; that may be done again."""

    manifest: Manifest
    #: `write` made it; otherwise it is the export of another tool.
    is_ours: bool
    _contents: Callable[[], Iterator[BackupItem | Unreadable]]

    def __iter__(self) -> Iterator[BackupItem | Unreadable]:
        return self._contents()


def read(folder: Path) -> BackupFolder:
    """Open a folder. A set of ours is read file by file while it is iterated; the export of another tool at once, since parts
    of its objects lie anywhere: its manifest has no tenant and no time, and the folder's name.

    Raises InputInvalid, on one line: there is no such folder, its `backup.json` is damaged, nothing in it is of a known kind,
    or it is a set of ours that was not finished.
    """
    if not folder.is_dir():
        raise InputInvalid(f"{_shown(str(folder))} is no folder", "give the folder of a backup")
    if (found := _manifest(folder)) is not None:
        manifest, count = found
        return BackupFolder(manifest, True, lambda: _records(folder, count))
    export = exports.load(folder)
    kinds = Counter(policy.kind for _, policy in export.policies)
    manifest = Manifest("", folder.resolve().name, None, tuple(BackupKind(kind, n, n) for kind, n in kinds.items()))
    return BackupFolder(manifest, False, lambda: _of_export(export))


def _manifest(folder: Path) -> tuple[Manifest, int] | None:
    """The manifest, and how many items were written; None if the folder has none of ours."""
    path = folder / manifests.FILE
    if not os.path.lexists(path):
        return None
    try:
        loaded = files.load(folder, path)
        return manifests.manifest_of(loaded) if manifests.is_manifest(loaded) else None
    except UnreadableError as error:
        raise InputInvalid(f"{_shown(str(path))} cannot be read: {error}", "export the backup again") from None


def _records(folder: Path, count: int) -> Iterator[BackupItem | Unreadable]:
    taken: dict[tuple[str, str], str] = {}
    seen = 0
    for path, reason in files.walk(folder):
        if path == folder / manifests.FILE:
            continue
        seen += not reason
        yield _record(folder, path, taken) if not reason else Unreadable(_within(folder, path), reason)
    if seen < count:
        yield Unreadable(manifests.FILE, f"{count} objects were written, {seen} files are left")


def _record(folder: Path, path: Path, taken: dict[tuple[str, str], str]) -> BackupItem | Unreadable:
    """The item of a file. `taken`: the files of those before it, by kind and id."""
    within = _within(folder, path)
    try:
        item = item_of(found_in(files.load(folder, path)))
    except UnreadableError as error:
        return Unreadable(within, str(error))
    if other := taken.get((item.kind, item.external_id)):
        return Unreadable(within, f"the same object as in {plain(other)}")
    taken[item.kind, item.external_id] = within
    return item


def _of_export(export: exports.Export) -> Iterator[BackupItem | Unreadable]:
    yield from export.items()
    for path, reason in export.left:
        yield Unreadable(_shown(path), plain(reason))


def _within(folder: Path, path: Path) -> str:
    return _shown(path_text(path.relative_to(folder)))


def _shown(path: str) -> str:
    return plain(path, _LONGEST_PATH)
