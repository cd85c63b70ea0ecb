"""Applies one change of a run and its effects (notification, rescue record) atomically, in as few round trips as possible.

On PostgreSQL this is one statement; the change and its effects are CTEs. SQLite has no data-modifying CTEs, but no round trips
either: there the same expressions are executed one after the other in one transaction.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql import visitors

from store.model.records import Run
from store.model.row_mapping import run_columns, run_from_row
from store.model.tables import operation_runs, tenants

#: Returns the INSERT or UPDATE that goes with a change; the argument has the columns of the changed runs.
Effect = Callable[[sa.FromClause], sa.Insert | sa.Update]


class Transition:
    """A change of `operation_runs`, an UPDATE or INSERT, with its effects. Its WHERE is the required state of the run.

    Bind parameters are named `p_…`, because SQLAlchemy reserves the names of columns for values to set.
    """

    def __init__(self, change: sa.Update | sa.Insert, *effects: Effect) -> None:
        self._change = change
        self._effects = effects

    def apply(self, connection: sa.Connection, parameters: Mapping[str, Any]) -> list[Run]:
        """Execute the change and its effects. Returns the changed runs; none if no run was in the required state."""
        if connection.dialect.name == "sqlite":
            return self._apply_in_steps(connection, parameters)
        return _runs(_execute(connection, self._as_one, parameters))

    @functools.cached_property
    def _as_one(self) -> sa.Executable:
        done = self._change.returning(*operation_runs.c).cte("done")
        effects = [effect(done).cte(f"effect_{number}") for number, effect in enumerate(self._effects)]
        return (
            sa.select(*run_columns(done)).join_from(done, tenants, tenants.c.id == done.c.tenant_id).add_cte(*effects)
        )

    @functools.cached_property
    def _steps(self) -> tuple[sa.Executable, list[sa.Executable]]:
        changed: sa.BindParameter[Any] = sa.bindparam("p_changed", expanding=True)
        done = sa.select(operation_runs).where(operation_runs.c.id.in_(changed)).subquery("done")
        after: list[sa.Executable] = [effect(done) for effect in self._effects]
        after.append(sa.select(*run_columns(done)).join_from(done, tenants, tenants.c.id == done.c.tenant_id))
        return self._change.returning(operation_runs.c.id), after

    def _apply_in_steps(self, connection: sa.Connection, parameters: Mapping[str, Any]) -> list[Run]:
        change, after = self._steps
        changed = _execute(connection, change, parameters).scalars().all()
        if not changed:
            return []
        results = [_execute(connection, step, {**parameters, "p_changed": changed}) for step in after]
        return _runs(results[-1])


def insert_or_ignore(table: sa.Table, columns: Iterable[str], select: sa.Select[Any]) -> sa.Insert:
    """INSERT … SELECT … ON CONFLICT DO NOTHING, which has the same syntax in both dialects."""
    return postgresql.insert(table).from_select(list(columns), select).on_conflict_do_nothing()


@functools.lru_cache(maxsize=64)
def _parameter_names(statement: Any) -> frozenset[str]:
    return frozenset(
        e.key for e in visitors.iterate(statement) if isinstance(e, sa.BindParameter) and e.key.startswith("p_")
    )


def _execute(
    connection: sa.Connection, statement: sa.Executable, parameters: Mapping[str, Any]
) -> sa.CursorResult[Any]:
    names = _parameter_names(statement)
    result: sa.CursorResult[Any] = connection.execute(statement, {name: parameters[name] for name in names})
    return result


def _runs(result: sa.CursorResult[Any]) -> list[Run]:
    return [run_from_row(dict(row)) for row in result.mappings()]
