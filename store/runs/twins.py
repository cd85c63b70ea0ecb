"""Twins: the active run of an identity, to which a start of the same identity attaches."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from store.model.records import Run
from store.model.row_mapping import run_columns, run_from_row
from store.model.tables import IS_ACTIVE, operation_runs, tenants

_run = operation_runs.c


def is_active_twin(tenant_id: int, identities: Sequence[str]) -> sa.ColumnElement[bool]:
    """A condition on `operation_runs`: the active runs of the tenant with these identities, at most one of each."""
    return sa.and_(_run.tenant_id == tenant_id, _run.run_identity_hash.in_(identities), IS_ACTIVE)


def read(connection: sa.Connection, tenant_id: int, identity: str, *, context: bool = True) -> Run | None:
    """The active run of the identity, or None. With `context=False` the run's context is not read."""
    query = sa.select(*run_columns(context=context)).join(tenants, tenants.c.id == _run.tenant_id)
    row = connection.execute(query.where(is_active_twin(tenant_id, [identity]))).mappings().first()
    return None if row is None else run_from_row(dict(row))
