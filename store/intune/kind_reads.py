"""When all policies of a kind were read whole, to the end: the instants at which it is known what a tenant was."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from store.model.tables import kind_reads, policies, policy_versions

_read = kind_reads.c

#: Reads of a kind that are kept.
KEPT: Final = 100
#: The advisory lock, with the tenant's id, of a run that stores what it read; every version of opsmon uses this number.
_LOCK: Final = 7_262_031


@dataclass(frozen=True, slots=True)
class KindRead:
    """A complete read of a kind."""

    id: int
    kind: str
    #: None if its run was deleted.
    run_id: int | None
    read_at: dt.datetime
    #: Versions up to this id are what it found.
    last_version_id: int
    #: How many policies there were.
    policies: int


def one_at_a_time(connection: sa.Connection, tenant_id: int) -> None:
    """Let no other run of the tenant store versions until the transaction ends: else a version could become visible after
    a read that ended later, and with a lower number.
    """
    if connection.dialect.name == "postgresql":  # SQLite has one writer at a time
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK, sa.cast(tenant_id, sa.Integer))))


def note(connection: sa.Connection, tenant_id: int, run_id: int, kind: str) -> int:
    """Note that the run has read the whole kind, and stored all of it within this transaction or before; the read's id."""
    of_kind = (policies.c.tenant_id == tenant_id, policies.c.kind == kind)
    last = sa.select(sa.func.coalesce(sa.func.max(policy_versions.c.id), 0)).scalar_subquery()
    there = sa.select(sa.func.count()).where(*of_kind, policies.c.missing_since.is_(None)).scalar_subquery()
    values = {"tenant_id": tenant_id, "kind": kind, "run_id": run_id, "last_version_id": last, "policies": there}
    read_id = int(connection.execute(sa.insert(kind_reads).values(**values).returning(_read.id)).scalar_one())
    mine = (_read.tenant_id == tenant_id, _read.kind == kind)
    oldest = sa.select(_read.id).where(*mine).order_by(_read.id.desc()).limit(1).offset(KEPT).scalar_subquery()
    connection.execute(sa.delete(kind_reads).where(*mine, _read.id <= oldest))
    return read_id


def latest(connection: sa.Connection, tenant_id: int, kind: str, number: int) -> list[KindRead]:
    """The newest reads of a kind, the newest first."""
    columns = (_read.id, _read.kind, _read.run_id, _read.read_at, _read.last_version_id, _read.policies)
    query = sa.select(*columns).where(_read.tenant_id == tenant_id, _read.kind == kind)
    return [KindRead(*row) for row in connection.execute(query.order_by(_read.id.desc()).limit(number))]
