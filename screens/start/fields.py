"""Maps parameters to form fields, and the contents of fields back to values."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from typing import Any

from textual.widget import Widget
from textual.widgets import Checkbox, Input, Select

from screens.text.safe import clean, findable, plain
from screens.widgets.checkbox import Check, Checks
from screens.widgets.line_input import LineInput
from store.errors import OpsmonError
from tasks.sdk.operation import Operation
from tasks.sdk.parameters import Kind, Parameter


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, str]:
    """What differs between two sets of parameters, by name, as `name: old to new`, or `name: dropped`."""
    changed = {
        name: f"{name}: {_as_json(old[name]) if name in old else 'not given'} to {_as_json(value)}"
        for name, value in new.items()
        if name not in old or old[name] != value
    }
    return changed | {name: f"{name}: dropped" for name in old if name not in new}


def _as_json(value: Any) -> str:
    return "none" if value is None else json.dumps(value, ensure_ascii=False)


def still_taken(operation: Operation, old: Mapping[str, Any]) -> dict[str, Any]:
    """The run's parameters that its operation still accepts: it may have changed since."""
    accepted = {}
    for parameter in operation.parameters:
        if parameter.name in old:
            with contextlib.suppress(OpsmonError):
                accepted[parameter.name] = parameter.check(old[parameter.name])
    return accepted


def help_of(parameter: Parameter) -> str:
    """What is said of the field that has the focus: its help, its kind, and whether it is required."""
    kind = "" if parameter.kind in (Kind.TEXT, Kind.BOOLEAN, Kind.CHOICE) else str(parameter.kind)
    need = "required" if parameter.required else "may be empty" if parameter.optional else ""
    facts = ", ".join(filter(None, (kind, need)))
    return " ".join(filter(None, (parameter.help, f"({facts})" if facts else "")))


def default_of(parameter: Parameter) -> Any:
    """The parameter's default; None if it is required."""
    return None if parameter.required else parameter.default


def field_for(parameter: Parameter, default: Any) -> Widget:
    """The input widget for a parameter, filled with `default`."""
    if parameter.kind is Kind.BOOLEAN:
        return Check(plain("yes"), value=bool(default))
    if parameter.kind is Kind.CHOICE:
        choices = [(findable(choice), choice) for choice in parameter.choices]
        return Select(
            choices,
            value=default if default in parameter.choices else Select.NULL,
            allow_blank=parameter.optional or default not in parameter.choices,
        )
    if parameter.kind is Kind.CHOICES:
        return Checks(parameter.choices, frozenset(default or ()))
    joint = ", " if parameter.kind is Kind.TEXTS else " "
    return LineInput(_text(default), joint=joint, select_on_focus=True)


def _text(value: Any) -> str:
    """The value as editable text."""
    return clean(", ".join(value) if isinstance(value, list) else "" if value is None else str(value))


def holds(field: Widget, value: Any) -> bool:
    """Whether the field still holds this value, unedited."""
    if isinstance(field, Input):
        return field.value == _text(value)
    return isinstance(field, Checks) and sorted(field.chosen) == (value or [])


def raw_of(field: Widget) -> Any:
    """What stands in the field, as its widget has it."""
    return field.chosen if isinstance(field, Checks) else getattr(field, "value", None)


def value_of(parameter: Parameter, field: Widget) -> Any:
    """The field's value, as JSON stores it; None for an empty field of an optional parameter. Raises InputInvalid."""
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
