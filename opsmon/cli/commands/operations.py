"""`opsmon operations`: lists the operations with their parameters."""

from __future__ import annotations

import argparse
import sys
from typing import Any, Final

from opsmon.cli.commands.session import Session
from opsmon.listing import Column, Listing
from opsmon.output import cell
from store.people.access import Right
from store.sanitizer.sanitize import visible
from tasks.sdk.operation import Operation
from tasks.sdk.parameters import Parameter
from tasks.sdk.registry import Registry


def operations(session: Session, _: argparse.Namespace) -> int:
    """Print the operations; problems with plug-ins go to standard error. Returns the exit code."""
    registry = session.services.registry
    tell_problems(registry)
    session.output.rows(OPERATIONS, list(registry), lambda: "\n\n".join(_text(found) for found in registry))
    return 0


def tell_problems(registry: Registry) -> None:
    """Print the problems with plug-ins on standard error."""
    for problem in registry.problems:
        sys.stderr.write(f"opsmon: {visible(problem)}: see its package\n")


def _as_json(found: Operation) -> dict[str, Any]:
    return {
        "type": found.type,
        "label": found.label,
        "summary": found.summary,
        "timeout": found.timeout,
        "identity": found.identity,
        "right": found.right.role,
        "only_from": found.only_from or None,
        "parameters": [_parameter_as_json(parameter) for parameter in found.parameters],
    }


#: The list of operations, where it is a table.
OPERATIONS: Final[Listing[Operation]] = Listing(
    (
        Column("type", "TYPE", lambda one: one.type),
        Column("label", "LABEL", lambda one: one.label, drop=2, is_name=True),
        Column("right", "ROLE", lambda one: one.right.role, drop=1),
        Column(
            "parameters", "PARAMETERS", lambda one: ", ".join(it.name for it in one.parameters), drop=4, is_name=True
        ),
        Column("timeout", "TIMEOUT", lambda one: one.timeout, drop=5, is_number=True),
        Column("summary", "SUMMARY", lambda one: one.summary, drop=3, is_name=True),
    ),
    _as_json,
    "There are no operations.",
    name="type",
    fields=("identity", "only_from"),
)


def _parameter_as_json(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "type": parameter.kind,
        "required": parameter.required,
        "default": parameter.default,
        "optional": parameter.optional,
        "choices": parameter.choices,
        "help": parameter.help,
    }


def _text(found: Operation) -> str:
    needs = "" if found.right is Right.START else f" (wants the role {found.right.role})"
    place = f" (started from {cell(found.only_from)} alone)" if found.only_from else ""
    head = f"{cell(found.type)}  {cell(found.label)}: {cell(found.summary)}{needs}{place}"
    return "\n".join([head, *(f"    {_parameter_text(parameter)}" for parameter in found.parameters)])


def _parameter_text(parameter: Parameter) -> str:
    kind = "|".join(parameter.choices) if parameter.choices else parameter.kind
    shown = "empty" if parameter.default in ("", []) else cell(parameter.default)
    default = "required" if parameter.required else f"default {shown}"
    return f"{cell(parameter.name)} ({cell(kind)}, {default})" + (f": {cell(parameter.help)}" if parameter.help else "")
