"""The file `backup.json`: whose set a folder holds, and how much of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from store.intune.backup_records import BackupKind
from tasks.graph.simulator.folder_decoding import UnreadableError

#: The file's name, at the top of the folder.
FILE: Final = "backup.json"
#: What tells this file from one of that name by another tool.
_FORMAT: Final = "opsmon backup"
_VERSION: Final = 1
#: No tenant has as many objects; the store could not keep a number without an end.
_MOST: Final = 10**9


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is known of a set as a whole."""

    #: The slug of the tenant; empty if the folder does not say.
    tenant: str
    #: The name of the set.
    name: str
    #: None if the folder does not say.
    created_at: dt.datetime | None
    #: How far each kind was; a kind that is not here was not looked at.
    kinds: tuple[BackupKind, ...] = ()
    #: Whether everything that was asked for had been looked at.
    is_finished: bool = True


def json_of(manifest: Manifest, items: int) -> dict[str, Any]:
    """What the file holds, as JSON. `items`: how many files of objects there are."""
    return {
        "format": _FORMAT,
        "version": _VERSION,
        "tenant": manifest.tenant,
        "name": manifest.name,
        "created_at": manifest.created_at.isoformat() if manifest.created_at else None,
        "finished": manifest.is_finished,
        "kinds": [asdict(one) for one in manifest.kinds],
        "items": items,
    }


def is_manifest(loaded: object) -> bool:
    """Whether the JSON of a `backup.json` is a manifest of ours, of whatever version."""
    return isinstance(loaded, dict) and loaded.get("format") == _FORMAT


def manifest_of(loaded: Mapping[str, Any]) -> tuple[Manifest, int]:
    """The manifest, and how many files of objects were written. Raises UnreadableError, in a few words."""
    version = loaded.get("version")
    if version != _VERSION:
        raise UnreadableError(f"of a version that is not {_VERSION}")
    kinds = loaded.get("kinds")
    if not isinstance(kinds, list):
        raise UnreadableError("kinds: not a list")
    manifest = Manifest(
        tenant=_text(loaded, "tenant"),
        name=_text(loaded, "name"),
        created_at=_instant(loaded.get("created_at")),
        kinds=tuple(_kind(one) for one in kinds),
        is_finished=loaded.get("finished") is not False,
    )
    return manifest, _count(loaded, "items")


def _kind(loaded: object) -> BackupKind:
    if not isinstance(loaded, dict):
        raise UnreadableError("kinds: not objects")
    given = [loaded.get(key) for key in ("failure_code", "failure_message")]
    code, message = (_text(loaded, key) for key in ("failure_code", "failure_message")) if any(given) else (None, None)
    numbers = _count(loaded, "found"), _count(loaded, "kept")
    return BackupKind(_text(loaded, "kind"), *numbers, code, message, loaded.get("narrowed") is True)


def _text(loaded: Mapping[str, Any], key: str) -> str:
    if not isinstance(value := loaded.get(key), str):
        raise UnreadableError(f"{key}: not a text")
    return value


def _count(loaded: Mapping[str, Any], key: str) -> int:
    value = loaded.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MOST:
        raise UnreadableError(f"{key}: not a number")
    return value


def _instant(given: object) -> dt.datetime | None:
    """An instant in ISO 8601; without an offset it is UTC."""
    if given is None:
        return None
    try:
        instant = dt.datetime.fromisoformat(str(given))
    except ValueError:
        raise UnreadableError("created_at: not an instant") from None
    return instant if instant.tzinfo else instant.replace(tzinfo=dt.UTC)
