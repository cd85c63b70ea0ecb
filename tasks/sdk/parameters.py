"""The parameter form of an operation: derived from the function's signature, and used to parse and check values."""

from __future__ import annotations

import inspect
import math
import re
import types
import typing
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Literal

from store.errors import InputInvalid
from store.model.records import UNREADABLE_JSON
from store.sanitizer.sanitize import names_secret

#: Characters of one text.
MAX_TEXT: Final = 2000
#: Texts of one parameter.
MAX_TEXTS: Final = 1000


class Kind(StrEnum):
    """The kind of value of a parameter. CHOICES (`Literal` in a tuple) and TEXTS take any number of values."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    CHOICES = "choices"
    TEXTS = "texts"


_PLAIN = {str: Kind.TEXT, int: Kind.INTEGER, float: Kind.NUMBER, bool: Kind.BOOLEAN}
_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One field of the form."""

    name: str
    kind: Kind
    #: Whether a value must be given.
    required: bool
    #: The value if none is given; only if not `required`.
    default: Any = None
    #: Whether None is a valid value.
    optional: bool = False
    #: The valid values of CHOICE and CHOICES.
    choices: tuple[str, ...] = ()
    #: Help text for people.
    help: str = ""

    def parse(self, text: str) -> Any:
        """The value of a text from the command line or a form field. Raises InputInvalid, which names the parameter."""
        if self.kind in (Kind.CHOICES, Kind.TEXTS):
            return self.check([part.strip() for part in text.split(",") if part.strip()])
        if self.kind is Kind.BOOLEAN:
            if text.strip().lower() not in _TRUE + _FALSE:
                raise self._wrong(text, "true or false")
            return text.strip().lower() in _TRUE
        if self.kind in (Kind.INTEGER, Kind.NUMBER):
            try:
                return self.check((int if self.kind is Kind.INTEGER else float)(text.strip()))
            except ValueError:
                raise self._wrong(text, _CHECKS[self.kind][1]) from None
        return self.check(text)

    def check(self, value: Any) -> Any:
        """The JSON value, if it is of this parameter's kind; a required value must not be empty. Raises InputInvalid."""
        if value is None and self.optional:
            return None
        if self.required and not self.optional and _is_empty(value):
            raise InputInvalid(f"parameter '{self.name}' is empty", f"give {self.name}=VALUE")
        if self.kind in _CHECKS:
            right, wanted = _CHECKS[self.kind]
            if not right(value):
                raise self._wrong(value, wanted)
            return float(value) if self.kind is Kind.NUMBER else value
        if self.kind in (Kind.CHOICES, Kind.TEXTS):
            if not isinstance(value, list | tuple):
                raise self._wrong(value, "a list")
            if len(value) > MAX_TEXTS:
                raise self._wrong(f"{len(value)} texts", f"at most {MAX_TEXTS}")
            return sorted({self._check_text(item) for item in value})
        return self._check_text(value)

    def _check_text(self, value: Any) -> str:
        if not isinstance(value, str):
            raise self._wrong(value, "a text")
        if self.kind in (Kind.CHOICE, Kind.CHOICES) and value not in self.choices:
            raise self._wrong(value, f"one of {', '.join(self.choices)}")
        if len(value) > MAX_TEXT or _has_controls(value):
            raise self._wrong(value[:20] + "…", f"at most {MAX_TEXT} characters without control characters")
        if names_secret(value):
            raise InputInvalid(
                f"parameter '{self.name}' looks as if it held a secret",
                "parameters are stored; name the secret instead of giving it",
            )
        return value

    def _wrong(self, value: object, wanted: str) -> InputInvalid:
        return InputInvalid(f"parameter '{self.name}' cannot be {str(value)[:60]!r}", f"give {wanted}")


def _is_empty(value: Any) -> bool:
    """Whether nothing was given: an empty or blank text, or a list without a value."""
    return not value.strip() if isinstance(value, str) else isinstance(value, list | tuple) and not any(value)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_boolean(value: Any) -> bool:
    return isinstance(value, bool)


_CHECKS: Final[Mapping[Kind, tuple[Callable[[Any], bool], str]]] = {
    Kind.INTEGER: (_is_integer, "a whole number"),
    Kind.NUMBER: (_is_number, "a number"),
    Kind.BOOLEAN: (_is_boolean, "true or false"),
}


def parse_parameters(form: tuple[Parameter, ...], given: Mapping[str, str]) -> dict[str, Any]:
    """All values of the form, parsed from texts. Raises InputInvalid for unknown, missing or invalid ones."""
    _refuse_unknown(form, given)
    return check_parameters(form, {p.name: p.parse(given[p.name]) for p in form if p.name in given})


def check_parameters(form: tuple[Parameter, ...], given: Mapping[str, Any]) -> dict[str, Any]:
    """All values of the form, checked from JSON values, defaults included. Raises InputInvalid."""
    _refuse_unknown(form, given)
    missing = [p.name for p in form if p.required and p.name not in given]
    if missing:
        raise InputInvalid(f"parameter '{missing[0]}' is missing", f"give {missing[0]}=VALUE")
    return {p.name: p.check(given[p.name]) if p.name in given else p.default for p in form}


def _refuse_unknown(form: tuple[Parameter, ...], given: Mapping[str, Any]) -> None:
    if given == UNREADABLE_JSON:
        raise InputInvalid("the run's parameters cannot be read", "start it anew instead")
    unknown = sorted(set(given) - {p.name for p in form})
    if unknown:
        known = ", ".join(p.name for p in form) or "none"
        raise InputInvalid(f"there is no parameter '{unknown[0]}'", f"known are: {known}")


def form_of(function: Callable[..., Any]) -> tuple[Parameter, ...]:
    """The form of an operation's function: every parameter after the first, which is the RunContext.

    Raises TypeError for a type that a form cannot represent.
    """
    hints = typing.get_type_hints(function)
    helps = _helps(inspect.getdoc(function) or "")
    parameters = list(inspect.signature(function).parameters.values())[1:]
    return tuple(_parameter(p, hints.get(p.name, str), helps.get(p.name, "")) for p in parameters)


def _parameter(parameter: inspect.Parameter, hint: Any, help_text: str) -> Parameter:
    if parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
        raise TypeError(f"parameter '{parameter.name}': an operation's parameters are named one by one")
    hint, optional = _without_none(hint)
    kind, choices = _kind(parameter.name, hint)
    required = parameter.default is inspect.Parameter.empty
    default = None if required else parameter.default
    default = list(default) if isinstance(default, tuple) else default
    if any(
        isinstance(text, str) and _has_controls(text) for text in (default if isinstance(default, list) else [default])
    ):
        raise TypeError(f"parameter '{parameter.name}': its default holds control characters, which nobody could give")
    return Parameter(parameter.name, kind, required, default, optional, choices, help_text)


def _has_controls(text: str) -> bool:
    return any(unicodedata.category(char) in ("Cc", "Cs") for char in text)


def _without_none(hint: Any) -> tuple[Any, bool]:
    if typing.get_origin(hint) not in (typing.Union, types.UnionType):
        return hint, False
    rest = [part for part in typing.get_args(hint) if part is not type(None)]
    return (rest[0], True) if len(rest) == 1 else (hint, False)


def _kind(name: str, hint: Any) -> tuple[Kind, tuple[str, ...]]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint in _PLAIN:
        return _PLAIN[hint], ()
    if origin is Literal and all(isinstance(choice, str) for choice in arguments):
        return Kind.CHOICE, arguments
    if origin in (tuple, list, frozenset, set) and arguments:
        kind, choices = _kind(name, arguments[0])
        if kind in (Kind.CHOICE, Kind.TEXT):
            return (Kind.CHOICES if kind is Kind.CHOICE else Kind.TEXTS), choices
    raise TypeError(f"parameter '{name}': a form cannot hold {hint}")


def _helps(doc: str) -> dict[str, str]:
    """The help texts in the docstring's section `Args:`, by parameter."""
    _, _, section = doc.partition("\nArgs:\n")
    found: dict[str, str] = {}
    name = ""
    for line in section.splitlines():
        if line and not line.startswith(" "):
            break
        match = re.match(r"    (\w+)(?: \([^)]*\))?:\s*(.*)", line)
        if match:
            name, found[match[1]] = match[1], match[2]
        elif name and line.strip():
            found[name] += " " + line.strip()
    return found
