"""Asking a JSON column that holds a list of objects, on both databases.

No value makes these raise; what has not the right shape is found as what store/model/lenient.py tells in its place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from store.model.records import NO_CODE, UNREADABLE


class json_elements(FunctionElement[Any]):  # noqa: N801 (reads as the SQL function that it is)
    """A JSON list's elements, one row each; none for NULL, and one that is null for what is no list."""

    name = "elements"
    inherit_cache = True


@compiles(json_elements, "postgresql")
def _elements_postgresql(element: json_elements, compiler: SQLCompiler, **kw: Any) -> str:
    value = compiler.process(element.clauses, **kw)
    is_list = f"WHEN jsonb_typeof({value}) = 'array' THEN {value}"
    is_none = f"WHEN {value} IS NULL OR jsonb_typeof({value}) = 'null' THEN '[]'"
    return f"jsonb_array_elements(CASE {is_list} {is_none} ELSE '[null]' END)"


@compiles(json_elements, "sqlite")
def _elements_sqlite(element: json_elements, compiler: SQLCompiler, **kw: Any) -> str:
    value = compiler.process(element.clauses, **kw)
    # A CASE asks one after the other: of what is no JSON, SQLite tells no type without raising.
    is_list = f"WHEN json_type({value}) = 'array' THEN {value} WHEN json_type({value}) = 'null' THEN '[]'"
    wrong = f"WHEN {value} IS NULL THEN NULL WHEN NOT json_valid({value}) THEN '[null]'"
    return f"json_each(CASE {wrong} {is_list} ELSE '[null]' END)"


class json_text(FunctionElement[str]):  # noqa: N801
    """The text under a key of a JSON object; the third argument for what is no object, or no text."""

    type = sa.Text()
    name = "text_of"
    inherit_cache = True


@compiles(json_text, "postgresql")
def _text_postgresql(element: json_text, compiler: SQLCompiler, **kw: Any) -> str:
    value, key, other = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"CASE WHEN jsonb_typeof({value} -> {key}) = 'string' THEN {value} ->> {key} ELSE {other} END"


@compiles(json_text, "sqlite")
def _text_sqlite(element: json_text, compiler: SQLCompiler, **kw: Any) -> str:
    value, key, other = (compiler.process(clause, **kw) for clause in element.clauses)
    is_json = f"WHEN {value} IS NULL OR NOT json_valid({value}) THEN {other}"
    is_text = f"WHEN json_type({value}, '$.' || {key}) = 'text' THEN json_extract({value}, '$.' || {key})"
    return f"CASE {is_json} {is_text} ELSE {other} END"


#: What is told of a failure in the place of each text that cannot be read.
_IN_PLACE_OF: Final = {"code": NO_CODE, "message": UNREADABLE}


def told(one: sa.ColumnElement[Any], key: str) -> sa.ColumnElement[str]:
    """The failure's code or message, as it is told."""
    return json_text(one, sa.literal_column(f"'{key}'"), sa.literal_column(f"'{_IN_PLACE_OF[key]}'"))


def any_of(
    column: sa.ColumnElement[Any], key: str, holds: Callable[[sa.ColumnElement[str]], sa.ColumnElement[bool]]
) -> sa.ColumnElement[bool]:
    """Whether the text under `key` of any element of the list is as `holds` says."""
    one = json_elements(column).table_valued("value").alias()
    found: sa.Select[Any] = sa.select(sa.literal_column("1")).select_from(one).where(holds(told(one.c.value, key)))
    # Without failures there is nothing to unfold: most runs.
    return sa.and_(column.is_not(None), found.exists())
