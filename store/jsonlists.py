"""Asking a JSON column that holds a list of objects, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class elements(FunctionElement[Any]):  # noqa: N801 (reads as the SQL function that it is)
    """A JSON list's elements, one row each; none for NULL."""

    name = "elements"
    inherit_cache = True


@compiles(elements, "postgresql")
def _elements_postgresql(element: elements, compiler: SQLCompiler, **kw: Any) -> str:
    return f"jsonb_array_elements({compiler.process(element.clauses, **kw)})"


@compiles(elements, "sqlite")
def _elements_sqlite(element: elements, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **kw)})"


class text_of(FunctionElement[str]):  # noqa: N801
    """The text under a key of a JSON object."""

    type = sa.Text()
    name = "text_of"
    inherit_cache = True


@compiles(text_of, "postgresql")
def _text_postgresql(element: text_of, compiler: SQLCompiler, **kw: Any) -> str:
    value, key = element.clauses
    return f"({compiler.process(value, **kw)} ->> {compiler.process(key, **kw)})"


@compiles(text_of, "sqlite")
def _text_sqlite(element: text_of, compiler: SQLCompiler, **kw: Any) -> str:
    value, key = element.clauses
    return f"json_extract({compiler.process(value, **kw)}, '$.' || {compiler.process(key, **kw)})"


def any_of(
    column: sa.ColumnElement[Any], key: str, holds: Callable[[sa.ColumnElement[str]], sa.ColumnElement[bool]]
) -> sa.ColumnElement[bool]:
    """Whether the text under `key` of any element of the list is as `holds` says."""
    one = elements(column).table_valued("value").alias()
    found: sa.Select[Any] = (
        sa.select(sa.literal_column("1"))
        .select_from(one)
        .where(holds(text_of(one.c.value, sa.literal_column(f"'{key}'"))))
    )
    # Without failures there is nothing to unfold: most runs.
    return sa.and_(column.is_not(None), found.exists())
