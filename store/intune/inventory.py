"""The inventory of policies: what a sync has seen, and what it missed."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from store.db.engine import Database
from store.model.tables import operation_runs, policies
from store.model.types import now_after

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
    """Store a page of what the run has seen, in one transaction. A policy that was missing is there again."""
    if not seen:
        return
    latest = {policy.external_id: policy for policy in seen}
    # In one order, so that two runs that read the same kind cannot wait for each other's rows.
    rows = [_values(tenant_id, run_id, kind, latest[id_]) for id_ in sorted(latest)]
    new = postgresql.insert(policies)
    changed: dict[str, Any] = {
        name: new.excluded[name]
        for name in ("name", "description", "body", "content_hash", "modified_at", "last_seen_run_id")
    }
    changed |= {"last_seen_at": now_after(_policy.last_seen_at), "missing_since": sa.null()}
    with db.write() as connection:
        # Row by row for the driver: one statement with all rows in it would be compiled anew for every page.
        connection.execute(
            new.on_conflict_do_update(index_elements=["tenant_id", "kind", "external_id"], set_=changed), rows
        )


def mark_missing(db: Database, tenant_id: int, run_id: int, kind: str) -> int:
    """After the run has read the whole kind: what nobody has seen since it started is missing. Returns how many became so.

    Another run may read the same kind at the same time, and be the last to see what this one saw too.
    """
    run = sa.select(operation_runs.c.started_at).where(operation_runs.c.id == run_id).scalar_subquery()
    unseen = sa.and_(
        sa.or_(_policy.last_seen_run_id.is_(None), _policy.last_seen_run_id != run_id), _policy.last_seen_at < run
    )
    change = sa.update(policies).where(
        _policy.tenant_id == tenant_id, _policy.kind == kind, unseen, _policy.missing_since.is_(None)
    )
    with db.write_one() as connection:
        return connection.execute(change.values(missing_since=now_after(_policy.last_seen_at))).rowcount


def _values(tenant_id: int, run_id: int, kind: str, policy: SeenPolicy) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id,
        "kind": kind,
        "external_id": _storable(policy.external_id),
        "name": _storable(policy.name),
        "description": _storable(policy.description),
        "body": _storable(policy.body),
        "content_hash": content_hash(policy.body),
        "modified_at": policy.modified_at,
        "last_seen_run_id": run_id,
    }


def _storable(value: Any) -> Any:
    """`value` without what JSON can bring and PostgreSQL cannot hold: NUL, halves of characters, numbers that are none."""
    if isinstance(value, str):
        return value.replace("\x00", "").encode(errors="replace").decode()
    if isinstance(value, Mapping):
        return {_storable(key): _storable(item) for key, item in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return [_storable(item) for item in value] if isinstance(value, list) else value


def content_hash(body: Mapping[str, Any]) -> str:
    """SHA-256, in hex, of what a person would call the policy: its body without times and versions."""
    lasting = {key: value for key, value in body.items() if key not in _VOLATILE}
    return hashlib.sha256(json.dumps(lasting, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
