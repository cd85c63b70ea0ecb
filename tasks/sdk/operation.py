"""What `@operation` makes of a function. It leaves its mark on the function; the registry collects marked functions."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

from store.people.access import Right
from store.runs.identity import identity_hash
from store.sanitizer.sanitize import visible
from tasks.sdk.parameters import Parameter, check_parameters, form_of, parse_parameters

MARK: Final = "__opsmon_operation__"
F = TypeVar("F", bound=Callable[..., None])


@dataclass(frozen=True, slots=True)
class Operation:
    """A type of run. `timeout` is in seconds; `identity` names the parameters that make two starts twins; `right` is what a
    user needs in the tenant to start or retry it.
    """

    type: str
    label: str
    function: Callable[..., None]
    summary: str
    parameters: tuple[Parameter, ...]
    identity: tuple[str, ...]
    timeout: float
    right: Right = Right.START

    @property
    def act(self) -> str:
        """What starting it is, for those who may not: "start or retry runs"."""
        if self.right is Right.START:
            return "start or retry runs"
        return f"start or retry '{self.type}', which wants the role {self.right.role}"

    def parse(self, given: Mapping[str, str]) -> dict[str, Any]:
        """The parameters from texts (K=V). Raises InputInvalid."""
        return parse_parameters(self.parameters, given)

    def check(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters from values as JSON holds them (a run's context). Raises InputInvalid."""
        return check_parameters(self.parameters, given)

    def identity_inputs(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        return {name: parameters[name] for name in self.identity}

    def identity_in(self, tenant_id: int, parameters: Mapping[str, Any]) -> str:
        """What a run of this operation with these parameters has in common with its twins, and with nothing else."""
        return identity_hash(tenant_id, self.type, self.identity_inputs(parameters))


def operation(
    type: str,  # noqa: A002 (the name that the contract gives it)
    *,
    label: str,
    identity: Iterable[str] | None = None,
    timeout: float = 3600.0,
    right: Literal["operator", "manager", "owner"] = "operator",
) -> Callable[[F], F]:
    """Make a function an operation.

    Its first parameter is the RunContext, the others are the parameter form: types str, int, float, bool, Literal, or a tuple of
    str or Literal, each possibly `| None`; help comes from the docstring's `Args:`. `identity` names the parameters that tell
    runs apart (default: all): while one is queued or running, a start with the same values joins it. `timeout`, in seconds, is
    when the run is completed as failed with `operation.timeout`. `right` is the least role that may start and retry it.
    """

    def mark(function: F) -> F:
        _check_names(type, label)
        form = form_of(function)
        needed = _right(type, right)
        names = tuple(p.name for p in form) if identity is None else tuple(identity)
        unknown = set(names) - {p.name for p in form}
        if unknown:
            raise TypeError(f"operation '{type}': identity names {sorted(unknown)}, which are no parameters")
        shown = visible(label) or type  # it is stored with each run, and a database may refuse what nobody sees
        summary = visible((inspect.getdoc(function) or "").partition("\n")[0]) or shown
        setattr(function, MARK, Operation(type, shown, function, summary, form, names, timeout, needed))
        return function

    return mark


def _check_names(type_: object, label: object) -> None:
    if not isinstance(type_, str) or not type_ or visible(type_) != type_:
        raise TypeError(f"an operation's type cannot be {type_!r}: give letters that can be seen")
    if not isinstance(label, str):
        raise TypeError(f"operation '{type_}': its label is no text")


def _right(type_: str, role: object) -> Right:
    known = {str(right.role): right for right in Right if right is not Right.VIEW}
    if not isinstance(role, str) or role not in known:
        raise TypeError(f"operation '{type_}': its right cannot be {role!r}: give {', '.join(known)}")
    return known[role]


def marked_operation(candidate: object) -> Operation | None:
    try:
        mark = getattr(candidate, MARK, None) if callable(candidate) else None
        return mark if isinstance(mark, Operation) else None
    except Exception:  # such as a proxy for what is not there yet; no operation in any case
        return None
