"""SQL expressions over a JSON column that holds a list of objects, for both databases.

Those that read raise for no value. A value of the wrong shape yields the same placeholder as in store/model/lenient.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from store.model.records import NO_CODE, UNREADABLE
from store.model.types import Json


class json_elements(FunctionElement[Any]):  # noqa: N801 (reads as the SQL function that it is)
    """The elements of a JSON list, one row each: no row for NULL, and one null element for a value that is not a list."""

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
    # CASE evaluates its conditions in order: json_type() raises for text that is not JSON, so json_valid() comes first.
    is_list = f"WHEN json_type({value}) = 'array' THEN {value} WHEN json_type({value}) = 'null' THEN '[]'"
    wrong = f"WHEN {value} IS NULL THEN NULL WHEN NOT json_valid({value}) THEN '[null]'"
    return f"json_each(CASE {wrong} {is_list} ELSE '[null]' END)"


class json_text(FunctionElement[str]):  # noqa: N801
    """The text under a key of a JSON object; the third argument if the value is not an object, or has no text under the key."""

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


class json_object_of(FunctionElement[Any]):  # noqa: N801
    """A JSON object of one value: its key, then the value."""

    type = Json
    name = "object_of"
    inherit_cache = True


@compiles(json_object_of, "postgresql")
def _object_postgresql(element: json_object_of, compiler: SQLCompiler, **kw: Any) -> str:
    return f"jsonb_build_object({compiler.process(element.clauses, **kw)})"


@compiles(json_object_of, "sqlite")
def _object_sqlite(element: json_object_of, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_object({compiler.process(element.clauses, **kw)})"


#: The placeholder for each text of a failure that cannot be read.
_IN_PLACE_OF: Final = {"code": NO_CODE, "message": UNREADABLE}


def told(one: sa.ColumnElement[Any], key: str) -> sa.ColumnElement[str]:
    """The failure's text under `key` (code or message), or its placeholder."""
    return json_text(one, sa.literal_column(f"'{key}'"), sa.literal_column(f"'{_IN_PLACE_OF[key]}'"))


def any_of(
    column: sa.ColumnElement[Any], key: str, holds: Callable[[sa.ColumnElement[str]], sa.ColumnElement[bool]]
) -> sa.ColumnElement[bool]:
    """Whether `holds` is true for the text under `key` of at least one element of the list."""
    one = json_elements(column).table_valued("value").alias()
    found: sa.Select[Any] = sa.select(sa.literal_column("1")).select_from(one).where(holds(told(one.c.value, key)))
    # Most runs have no failures, so that the list need not be expanded.
    return sa.and_(column.is_not(None), found.exists())
