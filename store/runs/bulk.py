"""Queries over many runs, for the dry run of a bulk retry. Batches bound each statement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeVar

import sqlalchemy as sa

from store.db.engine import Database
from store.model.records import Run
from store.model.row_mapping import run_columns, run_from_row
from store.model.tables import operation_runs, tenants
from store.people.access import member_tenants
from store.runs.twins import is_active_twin

_run = operation_runs.c
_AT_ONCE: Final = 500
T = TypeVar("T")


def visible_runs(db: Database, user_id: int, ids: Sequence[int]) -> dict[int, Run]:
    """The runs that the user may see, with their context, by id. Raises DatabaseAway."""
    runs: dict[int, Run] = {}
    for batch in _batched(ids):
        query = sa.select(*run_columns()).join(tenants, tenants.c.id == _run.tenant_id)
        query = query.where(_run.id.in_(batch), _run.tenant_id.in_(member_tenants(user_id)))
        with db.read_one() as connection:
            runs |= {row["id"]: run_from_row(dict(row)) for row in connection.execute(query).mappings()}
    return runs


def active_twins(db: Database, identities: Mapping[int, Iterable[str]]) -> dict[tuple[int, str], int]:
    """The ids of active runs by (tenant id, identity); identities without one are left out.

    `identities` has the identities to look up, by tenant id. Raises DatabaseAway.
    """
    twins: dict[tuple[int, str], int] = {}
    for tenant_id, hashes in identities.items():
        for batch in _batched(sorted(set(hashes))):
            query = sa.select(_run.run_identity_hash, _run.id).where(is_active_twin(tenant_id, batch))
            with db.read_one() as connection:
                twins |= {(tenant_id, identity): id_ for identity, id_ in connection.execute(query)}
    return twins


def newest_retries(db: Database, user_id: int, ids: Sequence[int]) -> dict[int, int]:
    """The id of the user's newest retry, by the id of the run retried; runs that the user has not retried are left out.

    Raises DatabaseAway.
    """
    retries: dict[int, int] = {}
    for batch in _batched(ids):
        query = sa.select(_run.retry_of_id, sa.func.max(_run.id)).group_by(_run.retry_of_id)
        query = query.where(_run.retry_of_id.in_(batch), _run.user_id == user_id)
        with db.read_one() as connection:
            retries |= {row[0]: row[1] for row in connection.execute(query)}
    return retries


def _batched(values: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]
