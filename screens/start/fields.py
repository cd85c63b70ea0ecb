"""From a parameter to a field, and from what a field holds to a value."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from typing import Any

from textual.widget import Widget
from textual.widgets import Checkbox, Input, Select

from screens.text.safe import clean, plain
from screens.widgets.checkbox import Check, Checks
from screens.widgets.line_input import LineInput
from store.errors import OpsmonError
from tasks.sdk.operation import Operation
from tasks.sdk.parameters import Kind, Parameter


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, str]:
    """What is otherwise than before, by name, as `name: old to new`; what the form does not know any more is dropped."""
    told = {
        name: f"{name}: {_told(old[name]) if name in old else 'not given'} to {_told(value)}"
        for name, value in new.items()
        if name not in old or old[name] != value
    }
    return told | {name: f"{name}: dropped" for name in old if name not in new}


def _told(value: Any) -> str:
    return "none" if value is None else json.dumps(value, ensure_ascii=False)


def still_taken(operation: Operation, old: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a run's parameters that its operation, as it is now, takes."""
    kept = {}
    for parameter in operation.parameters:
        if parameter.name in old:
            with contextlib.suppress(OpsmonError):
                kept[parameter.name] = parameter.check(old[parameter.name])
    return kept


def title_of(parameter: Parameter) -> str:
    kind = "" if parameter.kind in (Kind.TEXT, Kind.BOOLEAN, Kind.CHOICE) else f" ({parameter.kind})"
    need = " (required)" if parameter.required else ""
    return f"{parameter.name}{kind}{need}  {parameter.help}".rstrip()


def default_of(parameter: Parameter) -> Any:
    return None if parameter.required else parameter.default


def field_for(parameter: Parameter, default: Any) -> Widget:
    if parameter.kind is Kind.BOOLEAN:
        return Check(plain("yes"), value=bool(default))
    if parameter.kind is Kind.CHOICE:
        choices = [(plain(choice), choice) for choice in parameter.choices]
        return Select(
            choices,
            value=default if default in parameter.choices else Select.NULL,
            allow_blank=parameter.optional or default not in parameter.choices,
        )
    if parameter.kind is Kind.CHOICES:
        return Checks(parameter.choices, frozenset(default or ()))
    return LineInput(_text(default), joint=", " if parameter.kind is Kind.TEXTS else " ")


def _text(value: Any) -> str:
    """The value as a line to edit."""
    return clean(", ".join(value) if isinstance(value, list) else "" if value is None else str(value))


def holds(field: Widget, value: Any) -> bool:
    """Whether the field is as it was made for that value."""
    if isinstance(field, Input):
        return field.value == _text(value)
    return isinstance(field, Checks) and sorted(field.chosen) == (value or [])


def value_of(parameter: Parameter, field: Widget) -> Any:
    """What a field holds, as JSON holds it. An empty field of an optional parameter is None."""
    if isinstance(field, Checkbox):
        return field.value
    if isinstance(field, Checks):
        return field.chosen or (None if parameter.optional else [])
    if isinstance(field, Select):
        return None if field.value is Select.NULL else field.value
    assert isinstance(field, Input)
    if parameter.optional and not field.value.strip():
        return None
    return parameter.parse(field.value)
