"""The file of one object: what it holds, and whether a file holds it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from store.intune.backup_records import BackupItem, ItemReference
from store.intune.inventory import storable
from store.model.tables import COMPLETENESS
from tasks.backup_folder.items import LONGEST_ID, Found
from tasks.graph.resource import GraphResource
from tasks.graph.resources import BY_NAME
from tasks.graph.simulator.folder_decoding import UnreadableError
from tasks.graph.simulator.folder_report import plain

_T = TypeVar("_T")
_KEYS: Final = frozenset({"kind", "id", "body", "assignments", "references", "gaps"})
#: From good to bad; the first of them is no gap.
_GAPS: Final = COMPLETENESS[1:]


def text_of(loaded: Any) -> bytes:
    """JSON for people: UTF-8, indented by 2, keys in their order, and a newline at the end."""
    return f"{json.dumps(storable(loaded), ensure_ascii=False, indent=2)}\n".encode()


def record_of(item: BackupItem) -> dict[str, Any]:
    """What the file of an item holds. Hashes are not in it: they are made from the body."""
    return {
        "kind": item.kind,
        "id": item.external_id,
        "name": item.name,
        "platform": item.platform,
        "body": dict(item.body),
        "assignments": None if item.assignments is None else [dict(one) for one in item.assignments],
        "references": [{"kind": one.kind, "id": one.id, "name": one.name} for one in item.references],
        "gaps": [{"code": code, "detail": detail} for code, detail in item.gaps],
    }


def is_record(loaded: object) -> bool:
    """Whether the JSON of a file looks like that of an item of ours."""
    return isinstance(loaded, dict) and set(loaded) >= _KEYS and isinstance(loaded["body"], dict)


def found_in(loaded: object) -> Found:
    """What a file says of an item. `kind`, `id` and `body` have to be there. Raises UnreadableError, in a few words."""
    if not isinstance(loaded, dict):
        raise UnreadableError("not an object")
    kind = _kind(loaded)
    if len(_text(loaded, "id")) > LONGEST_ID:
        raise UnreadableError(f"id: longer than {LONGEST_ID} characters")
    body = loaded.get("body")
    if not isinstance(body, dict):
        raise UnreadableError("body: not an object")
    if kind.assign and "assignments" in body:
        raise UnreadableError("body: has assignments, which belong beside it")
    return Found(
        kind,
        _text(loaded, "id"),
        body,
        None if loaded.get("assignments") is None else _each(loaded, "assignments", dict),
        name=_text_or_none(loaded, "name") or "",
        platform=_text_or_none(loaded, "platform"),
        references=_each(loaded, "references", _reference),
        gaps=_each(loaded, "gaps", _gap),
    )


def _kind(loaded: Mapping[str, Any]) -> GraphResource:
    name = _text(loaded, "kind")
    if name not in BY_NAME:
        raise UnreadableError(f"not a known kind: {plain(name)}")
    return BY_NAME[name]


def _reference(loaded: Mapping[str, Any]) -> ItemReference:
    kind = _text(loaded, "kind")
    if kind != "groups" and kind not in BY_NAME:
        raise UnreadableError(f"references: not a known kind: {plain(kind)}")
    return ItemReference(kind, _text(loaded, "id"), _text_or_none(loaded, "name"))


def _gap(loaded: Mapping[str, Any]) -> tuple[str, str]:
    code, detail = _text(loaded, "code"), loaded.get("detail")
    if code not in _GAPS or not isinstance(detail, str):
        raise UnreadableError(f"gaps: not a known code: {plain(code)}")
    return code, detail


def _each(loaded: Mapping[str, Any], key: str, made: Callable[[dict[str, Any]], _T]) -> list[_T]:
    """The objects of a list; none if it is not there."""
    elements = loaded.get(key, [])
    if not isinstance(elements, list) or not all(isinstance(one, dict) for one in elements):
        raise UnreadableError(f"{key}: not a list of objects")
    return [made(one) for one in elements]


def _text(loaded: Mapping[str, Any], key: str) -> str:
    if not isinstance(value := loaded.get(key), str) or not value:
        raise UnreadableError(f"{key}: not a text")
    return value


def _text_or_none(loaded: Mapping[str, Any], key: str) -> str | None:
    return None if loaded.get(key) is None else _text_or_empty(loaded, key)


def _text_or_empty(loaded: Mapping[str, Any], key: str) -> str:
    if not isinstance(value := loaded[key], str):
        raise UnreadableError(f"{key}: not a text")
    return value
