"""What rescuers did, for reading: one row for each run that one of them changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from store.model.tables import operation_runs, rescues, tenants
from store.people.access import Membership

_rescue = rescues.c
_run = operation_runs.c

#: How far back `recent` looks for rescues in one's own tenants: those of others may be many.
LOOK_AT: Final = 1000


@dataclass(frozen=True, slots=True)
class Rescue:
    """`what` became of a run: it was lost with its worker, its message had never been queued, or was queued again."""

    id: int
    run_id: int
    title: str
    tenant: str
    at: dt.datetime
    what: str
    worker_id: int | None


def recent(connection: sa.Connection, of: Sequence[Membership], limit: int = 20) -> tuple[Rescue, ...]:
    """The newest rescues of runs in these tenants, newest first, as far as they are among the newest LOOK_AT of all."""
    if not of:
        return ()
    among = sa.select(sa.func.max(rescues.alias().c.id) - LOOK_AT).scalar_subquery()
    looked_at = sa.select(rescues).where(_rescue.id > among).order_by(_rescue.id.desc()).limit(LOOK_AT).subquery("r")
    title = sa.func.coalesce(_run.label, _run.type).label("title")
    query = sa.select(looked_at, title, tenants.c.slug.label("tenant"))
    query = query.join_from(looked_at, operation_runs, _run.id == looked_at.c.run_id)
    # The zero keeps SQLite from looking through all runs of the tenants for those that were rescued.
    query = query.join(tenants, tenants.c.id == _run.tenant_id + 0)
    query = query.where((_run.tenant_id + 0).in_([member.tenant.id for member in of]))
    rows = connection.execute(query.order_by(looked_at.c.id.desc()).limit(limit)).mappings()
    return tuple(Rescue(**row) for row in rows)
