"""Bodies, each stored once under its hash and kept while anything refers to it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from store.intune.inventory import storable
from store.model.tables import backup_items, contents, policy_versions
from store.model.types import among

#: The advisory lock of all who refer to contents, shared, and of who deletes them, alone; every version of opsmon uses
#: this number.
_LOCK: Final = 7_262_031_504


@dataclass(frozen=True, slots=True)
class Content:
    """A body, and the hash that it shares with those that mean the same."""

    canonical_hash: str
    body: Mapping[str, Any]


def put(connection: sa.Connection, bodies: Mapping[str, Content]) -> None:
    """Store bodies by their content hashes, within a transaction of the caller's. Nobody deletes one before its end: the
    caller has until then to refer to them.
    """
    _lock(connection, shared=True)
    known = sa.select(contents.c.content_hash).where(among(contents.c.content_hash, bodies))
    # Most bodies are there already, and sending them again takes longer than all the rest.
    new = bodies.keys() - set(connection.execute(known).scalars())
    if not new:
        return
    connection.execute(
        postgresql.insert(contents).on_conflict_do_nothing(index_elements=["content_hash"]),
        [
            {
                "content_hash": hash_,
                "canonical_hash": bodies[hash_].canonical_hash,
                "body": storable(bodies[hash_].body),
            }
            for hash_ in sorted(new)  # in a fixed order: no deadlock
        ],
    )


def forget(connection: sa.Connection, content_hashes: Collection[str]) -> int:
    """Delete those of these bodies that nothing refers to any more; returns how many."""
    _lock(connection, shared=False)
    used = [
        sa.exists().where(table.c.content_hash == contents.c.content_hash) for table in (policy_versions, backup_items)
    ]
    unused = sa.delete(contents).where(among(contents.c.content_hash, content_hashes), *(~one for one in used))
    return connection.execute(unused).rowcount


def _lock(connection: sa.Connection, *, shared: bool) -> None:
    if connection.dialect.name == "postgresql":  # SQLite has one writer at a time
        lock = sa.func.pg_advisory_xact_lock_shared if shared else sa.func.pg_advisory_xact_lock
        connection.execute(sa.select(lock(_LOCK)))
