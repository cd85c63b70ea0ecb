"""The identity of a run: of all runs with the same identity, at most one is active."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def identity_hash(tenant_id: int, operation_type: str, inputs: Mapping[str, Any]) -> str:
    """The SHA-256, in hex, of the canonical JSON of (tenant, type, inputs).

    `inputs` are the parameters that make up the operation's identity; they contain no display name, initiator or time. Keys
    are sorted, lists (which represent sets in a parameter form) are sorted without duplicates, ids are lower-cased. Raises
    ValueError for NaN and infinity.
    """
    canonical = json.dumps(
        [tenant_id, operation_type, _canonical(inputs)],
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=True,
        allow_nan=False,
    )
    return hashlib.sha256(canonical.encode()).hexdigest()


def _canonical(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _canonical(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        unique = {json.dumps(item, sort_keys=True): item for item in map(_canonical, value)}
        return [unique[key] for key in sorted(unique)]
    if isinstance(value, str) and _ID.fullmatch(value):
        return value.lower()
    return value
