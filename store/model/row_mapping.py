"""Maps rows to records: the columns of a `Run`, and how they are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from store.model.lenient import context_from, counts_from, failures_from
from store.model.records import Outcome, Run, Status
from store.model.tables import operation_runs, tenants

#: The columns that lists read: not the context, which may be large, because lists are read every second.
LIST_COLUMNS = tuple(column for column in operation_runs.c if column.name != "context")


def run_columns(source: sa.FromClause = operation_runs, *, context: bool = True) -> list[sa.ColumnElement[Any]]:
    """The columns of `tenants` and of `source` (the table, or a subquery with its columns) that `run_from_row` needs."""
    own = [source.c[column.name] for column in (operation_runs.c if context else LIST_COLUMNS)]
    return [*own, tenants.c.slug.label("tenant"), tenants.c.name.label("tenant_name")]


def run_from_row(row: Mapping[str, Any]) -> Run:
    """Map a row of `run_columns` to a Run. JSON that cannot be read becomes a placeholder (store/model/lenient.py)."""
    values = dict(row)
    values["status"] = Status(values["status"])
    values["outcome"] = Outcome(values["outcome"])
    values["summary_counts"] = counts_from(values["summary_counts"])
    values["failure_summary"] = failures_from(values["failure_summary"])
    if "context" in values:
        values["context"] = context_from(values["context"])
    return Run(**values)


def runs_from(result: sa.CursorResult[Any]) -> tuple[Run, ...]:
    """All runs of a result. It avoids `mappings()`, which would take half of the time: lists are read every second."""
    names = tuple(result.keys())
    return tuple(run_from_row(dict(zip(names, row, strict=True))) for row in result)
