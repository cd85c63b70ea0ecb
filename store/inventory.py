"""The inventory of policies: what a sync has seen, and what it missed."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from store.database import Database
from store.tables import policies
from store.types import utcnow

_policy = policies.c
#: What changes without the policy changing.
_VOLATILE: Final = frozenset({"lastModifiedDateTime", "@odata.etag", "@odata.context", "version"})


@dataclass(frozen=True, slots=True)
class SeenPolicy:
    """A policy as a tenant has it now."""

    external_id: str
    name: str
    description: str | None
    body: Mapping[str, Any]
    modified_at: dt.datetime | None


def upsert(db: Database, tenant_id: int, run_id: int, kind: str, seen: Sequence[SeenPolicy]) -> None:
    """Store a page of what the run has seen, in one statement. A policy that was missing is there again."""
    if not seen:
        return
    rows = [
        _values(tenant_id, run_id, kind, policy) for policy in {policy.external_id: policy for policy in seen}.values()
    ]
    new = postgresql.insert(policies).values(rows)
    changed: dict[str, Any] = {
        name: new.excluded[name]
        for name in ("name", "description", "body", "content_hash", "modified_at", "last_seen_run_id")
    }
    changed |= {"last_seen_at": utcnow(), "missing_since": sa.null()}
    with db.statement() as connection:
        connection.execute(new.on_conflict_do_update(index_elements=["tenant_id", "kind", "external_id"], set_=changed))


def mark_missing(db: Database, tenant_id: int, run_id: int, kind: str) -> int:
    """After the run has read the whole kind: what it did not see is missing. Returns how many became so."""
    unseen = sa.or_(_policy.last_seen_run_id.is_(None), _policy.last_seen_run_id != run_id)
    change = sa.update(policies).where(
        _policy.tenant_id == tenant_id, _policy.kind == kind, unseen, _policy.missing_since.is_(None)
    )
    with db.statement() as connection:
        return connection.execute(change.values(missing_since=utcnow())).rowcount


def _values(tenant_id: int, run_id: int, kind: str, policy: SeenPolicy) -> dict[str, Any]:
    # PostgreSQL holds no NUL, neither in text nor in JSON.
    return {
        "tenant_id": tenant_id,
        "kind": kind,
        "external_id": policy.external_id,
        "name": policy.name.replace("\x00", ""),
        "description": policy.description and policy.description.replace("\x00", ""),
        "body": _without_nul(policy.body),
        "content_hash": content_hash(policy.body),
        "modified_at": policy.modified_at,
        "last_seen_run_id": run_id,
    }


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, Mapping):
        return {_without_nul(key): _without_nul(item) for key, item in value.items()}
    return [_without_nul(item) for item in value] if isinstance(value, list) else value


def content_hash(body: Mapping[str, Any]) -> str:
    """SHA-256, in hex, of what a person would call the policy: its body without times and versions."""
    lasting = {key: value for key, value in body.items() if key not in _VOLATILE}
    return hashlib.sha256(json.dumps(lasting, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
