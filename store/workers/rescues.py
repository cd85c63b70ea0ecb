"""Reads rescues: one row for each change that a rescuer made to a run."""

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

#: `recent` searches only as many of the newest rescues of all tenants: those of other tenants may be many.
LOOK_AT: Final = 1000


@dataclass(frozen=True, slots=True)
class Rescue:
    """A row of `rescues`, with its run's title and tenant."""

    id: int
    run_id: int
    #: The run's label, or its type if there is none.
    title: str
    #: The tenant's slug.
    tenant: str
    at: dt.datetime
    #: lost (completed as failed with its worker), queued (its message had never been queued) or queued_again.
    what: str
    #: The lost worker; None unless the run was lost.
    worker_id: int | None


def recent(connection: sa.Connection, of: Sequence[Membership], limit: int = 20) -> tuple[Rescue, ...]:
    """The newest rescues in the tenants, newest first: at most `limit`, from the newest LOOK_AT of all tenants."""
    if not of:
        return ()
    among = sa.select(sa.func.max(rescues.alias().c.id) - LOOK_AT).scalar_subquery()
    looked_at = sa.select(rescues).where(_rescue.id > among).order_by(_rescue.id.desc()).limit(LOOK_AT).subquery("r")
    title = sa.func.coalesce(_run.label, _run.type).label("title")
    query = sa.select(looked_at, title, tenants.c.slug.label("tenant"))
    query = query.join_from(looked_at, operation_runs, _run.id == looked_at.c.run_id)
    # `+ 0` keeps SQLite from using an index of tenant_id: it would scan all runs of the tenants.
    query = query.join(tenants, tenants.c.id == _run.tenant_id + 0)
    query = query.where((_run.tenant_id + 0).in_([member.tenant.id for member in of]))
    rows = connection.execute(query.order_by(looked_at.c.id.desc()).limit(limit)).mappings()
    return tuple(Rescue(**row) for row in rows)
