"""The active run of an identity, which a start of the same would join."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from store.model.records import Run
from store.model.row_mapping import run_columns, run_from_row
from store.model.tables import IS_ACTIVE, operation_runs, tenants

_run = operation_runs.c


def is_active_twin(tenant_id: int, identities: Sequence[str]) -> sa.ColumnElement[bool]:
    """Whether a run of the table is the tenant's active one of an identity; of each there is one at most."""
    return sa.and_(_run.tenant_id == tenant_id, _run.run_identity_hash.in_(identities), IS_ACTIVE)


def read(connection: sa.Connection, tenant_id: int, identity: str, *, context: bool = True) -> Run | None:
    """The queued or running run of this identity, if there is one; without its context when that is not wanted."""
    query = sa.select(*run_columns(context=context)).join(tenants, tenants.c.id == _run.tenant_id)
    row = connection.execute(query.where(is_active_twin(tenant_id, [identity]))).mappings().first()
    return None if row is None else run_from_row(dict(row))
