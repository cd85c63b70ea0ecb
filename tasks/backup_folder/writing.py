"""Writes a backup set into a folder. Bodies are confidential: nobody but the user may read the files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from store.errors import InputInvalid
from store.intune.backup_records import BackupItem
from tasks.backup_folder import manifest as manifests
from tasks.backup_folder.manifest import Manifest
from tasks.backup_folder.records import record_of, text_of
from tasks.backup_folder.safe_names import safe_name
from tasks.graph.simulator.folder_report import plain

#: Kinds are names of folders. A set may hold one that this version no longer knows.
_KIND: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_LONGEST_PATH: Final = 1000


@dataclass(frozen=True, slots=True)
class Written:
    """What is in the folder now."""

    folder: Path
    #: Files of objects.
    items: int
    #: Of all files together.
    bytes: int


def write(folder: Path, manifest: Manifest, items: Iterable[BackupItem]) -> Written:
    """Write a set into a folder, which must be absent or empty. Items are taken one by one, and may be as many as there are.

    Nothing is overwritten. Raises InputInvalid, on one line: the folder cannot be used, a file cannot be written, or an
    item stands twice in the set. What was written until then stays, without `backup.json`.
    """
    _prepare(folder)
    count = size = 0
    kinds: set[str] = set()
    for item in items:
        if item.kind not in kinds:
            _make(_folder_of(folder, item.kind))
            kinds.add(item.kind)
        path = folder / item.kind / f"{safe_name(item.name, item.external_id)}.json"
        size += _put(path, text_of(record_of(item)))
        count += 1
    size += _put(folder / manifests.FILE, text_of(manifests.json_of(manifest, count)))
    return Written(folder, count, size)


def _prepare(folder: Path) -> None:
    with _telling(folder):
        if not folder.exists():
            folder.mkdir(mode=0o700, parents=True)
            return
        if not folder.is_dir():
            raise InputInvalid(f"{_shown(folder)} is no folder", "give a new or an empty folder")
        if next(folder.iterdir(), None):
            raise InputInvalid(f"{_shown(folder)} is not empty", "give a new or an empty folder")


def _folder_of(folder: Path, kind: str) -> Path:
    if not _KIND.fullmatch(kind):
        raise InputInvalid(f"an object is of the kind {plain(kind)}", "this is no name of a kind")
    return folder / kind


def _make(folder: Path) -> None:
    with _telling(folder):
        folder.mkdir(mode=0o700)


def _put(path: Path, data: bytes) -> int:
    """Make a file, and return its size in bytes."""
    with _telling(path), open(path, "xb", opener=_private) as file:
        return file.write(data)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


@contextmanager
def _telling(path: Path) -> Iterator[None]:
    """Say in one line what could not be written, and why."""
    try:
        yield
    except FileExistsError:
        raise InputInvalid(f"{_shown(path)} is there already", "give a new or an empty folder") from None
    except OSError as error:
        raise InputInvalid(
            f"{_shown(path)} cannot be written ({error.strerror})", "give a new folder with room that you may write to"
        ) from None


def _shown(path: Path) -> str:
    return plain(str(path), _LONGEST_PATH)
