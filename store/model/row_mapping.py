"""From a row to a record: the columns that make a `Run`, and how they are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from store.model.lenient import context_from, counts_from, failures_from
from store.model.records import Outcome, Run, Status
from store.model.tables import operation_runs, tenants

#: Lists leave the context out: it may be large, and a list is read every second.
LIST_COLUMNS = tuple(column for column in operation_runs.c if column.name != "context")


def run_columns(source: sa.FromClause = operation_runs, *, context: bool = True) -> list[sa.ColumnElement[Any]]:
    """The columns of `source` (the table or something with its columns) and of `tenants` that `run_from_row` reads."""
    own = [source.c[column.name] for column in (operation_runs.c if context else LIST_COLUMNS)]
    return [*own, tenants.c.slug.label("tenant"), tenants.c.name.label("tenant_name")]


def run_from_row(row: Mapping[str, Any]) -> Run:
    values = dict(row)
    values["status"] = Status(values["status"])
    values["outcome"] = Outcome(values["outcome"])
    values["summary_counts"] = counts_from(values["summary_counts"])
    values["failure_summary"] = failures_from(values["failure_summary"])
    if "context" in values:
        values["context"] = context_from(values["context"])
    return Run(**values)


def runs_from(result: sa.CursorResult[Any]) -> tuple[Run, ...]:
    """All runs of a result. Lists are read every second, and a mapping of its own for each row would take half of that."""
    names = tuple(result.keys())
    return tuple(run_from_row(dict(zip(names, row, strict=True))) for row in result)
