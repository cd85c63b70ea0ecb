"""The retry chain of a run."""

from __future__ import annotations

import sqlalchemy as sa

from store.model.records import Run
from store.model.row_mapping import run_columns, run_from_row
from store.model.tables import operation_runs, tenants
from store.model.types import at_most

_run = operation_runs.c


def attempts(connection: sa.Connection, run: Run, limit: int = 20) -> tuple[Run, ...]:
    """The run, the chain of runs that it retries, and its own retries, with their context; oldest first.

    Only runs of the same tenant. If there are more than `limit`, these are the run, the run that it retries, and the newest of
    the others.
    """
    step = sa.literal(1).label("step")
    chain = sa.select(_run.id, _run.retry_of_id, step).where(_run.id == run.id).cte("chain", recursive=True)
    former = sa.select(_run.id, _run.retry_of_id, chain.c.step + 1).join(chain, _run.id == chain.c.retry_of_id)
    chain = chain.union_all(former.where(chain.c.step < limit))
    # A single IN of ids: with an OR, a planner would scan all runs.
    family = _run.id.in_(sa.select(chain.c.id).union(sa.select(_run.id).where(_run.retry_of_id == run.id)))
    query = sa.select(*run_columns()).join(tenants, tenants.c.id == _run.tenant_id)
    nearest = sa.case((_run.id == run.id, 0), (_run.id == run.retry_of_id, 1), else_=2)
    query = query.where(family, _run.tenant_id == run.tenant_id).order_by(nearest, _run.id.desc()).limit(at_most(limit))
    found = [run_from_row(dict(row)) for row in connection.execute(query).mappings()]
    return tuple(sorted(found, key=lambda attempt: attempt.id))
