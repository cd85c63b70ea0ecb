"""Makes an item of what a file says of an object. Hashes, references and gaps are those of the body as it stands there.

A body may have been edited by hand since it was written, so what can be seen in it counts more than what the file says
beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from store.intune.backup_records import BackupItem, ItemReference
from tasks.graph.canonical import assignments_hash, bare_and_hash, canonical_hash
from tasks.graph.gaps import gaps_of
from tasks.graph.places import find, references_of
from tasks.graph.resource import GraphResource
from tasks.graph.resources import name_of, platform_of

#: Names of objects, by kind and id in lower case.
Names = Mapping[tuple[str, str], str]

#: Characters of an id; those of Graph have about 40. An index of the store could not hold one of any length.
LONGEST_ID: Final = 500
_UNKNOWN: Final = "assignments_unknown"
_NOT_THERE: Final = (_UNKNOWN, "not in the export")
_GUID: Final = re.compile("[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
#: The gaps that `gaps_of` sees in a body, beside those of secrets.
_SEEN_IN_BODY: Final = re.compile(r"\w+: empty|(settings|definitions): \d+ of \d+")


@dataclass(frozen=True, slots=True)
class Found:
    """What a file says of an object. Name and platform count where the body does not say them itself."""

    kind: GraphResource
    external_id: str
    #: Without assignments.
    body: Mapping[str, Any]
    #: None: the file has none.
    assignments: list[dict[str, Any]] | None
    name: str = ""
    platform: str | None = None
    references: Sequence[ItemReference] = ()
    gaps: Sequence[tuple[str, str]] = ()


def item_of(found: Found, names: Names | None = None) -> BackupItem:
    """The item. `names`: those of other objects, as far as they are known."""
    body, content_hash = bare_and_hash(found.body)
    assignments = found.assignments
    return BackupItem(
        kind=found.kind.name,
        external_id=found.external_id,
        name=name_of({**body, "id": found.name or found.external_id}),
        platform=platform_of(found.kind, body) or found.platform,
        body=body,
        content_hash=content_hash,
        canonical_hash=canonical_hash(found.kind, body),
        assignments=assignments,
        assignments_hash=None if assignments is None else assignments_hash({"assignments": assignments}),
        references=_references(found, {**body, "assignments": assignments or []}, names or {}),
        gaps=_gaps(found, body),
    )


# ---- references


def group_names(body: Mapping[str, Any]) -> Iterator[tuple[str | None, str]]:
    """The groups that targets of a body's assignments name, as (id, name); without an id if the export has none.

    almenscorner/IntuneCD writes `groupName` instead of `groupId`.
    """
    for container, key in find(body, "assignments[].target.groupName"):
        id_ = container.get("groupId")
        if isinstance(container[key], str) and container[key]:
            yield (id_ if isinstance(id_, str) and id_ else None), container[key]


def _references(found: Found, whole: Mapping[str, Any], names: Names) -> tuple[ItemReference, ...]:
    """What the file says that is still in the body, in its order, and what else is there."""
    seen = {_key(one): one for one in reversed(list(_seen(found.kind, whole, names)))}
    said = [one for one in found.references if _key(one) in seen]
    known = {_key(one) for one in said}
    return (*said, *(one for key, one in reversed(seen.items()) if key not in known))


def _seen(kind: GraphResource, whole: Mapping[str, Any], names: Names) -> Iterator[ItemReference]:
    groups = list(group_names(whole))
    beside = {("groups", id_.lower()): name for id_, name in groups if id_}
    for reference, id_ in references_of(kind, whole):
        key = (reference.to, id_.lower())
        name = beside.get(key) or names.get(key) or (None if _looks_like_id(reference.to, id_) else id_)
        yield ItemReference(reference.to, id_, name)
    yield from (ItemReference("groups", name, name) for id_, name in groups if not id_)


def _looks_like_id(kind: str, text: str) -> bool:
    """Exports of IntuneCD have names in the places of ids, such as `Default` for a scope tag."""
    return bool(_GUID.fullmatch(text)) or (kind == "scope_tags" and text.isdecimal())


def _key(reference: ItemReference) -> tuple[str, str]:
    return reference.kind, reference.id.lower()


# ---- gaps


def _gaps(found: Found, body: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """What the file says and the body does not disprove, in its order, and what else is missing."""
    seen = [(gap.code, gap.detail) for gap in gaps_of(found.kind, body)]
    if found.assignments is None and not any(code == _UNKNOWN for code, _ in found.gaps):
        seen.append(_NOT_THERE)
    said = [gap for gap in found.gaps if gap in seen or not _is_disproved(found, *gap)]
    return (*said, *(gap for gap in seen if gap not in said))


def _is_disproved(found: Found, code: str, detail: str) -> bool:
    """Whether this is a gap that would be seen if it still were there."""
    if code == _UNKNOWN:
        return found.assignments is not None
    return code == "secret_unreadable" or (code == "content_missing" and bool(_SEEN_IN_BODY.fullmatch(detail)))
