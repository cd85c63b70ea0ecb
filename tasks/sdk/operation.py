"""The decorator `@operation`. It marks the function; the registry collects marked functions."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

from store.errors import InputInvalid
from store.model.records import Run
from store.people.access import Right
from store.runs.identity import identity_hash
from store.sanitizer.sanitize import visible
from tasks.sdk.parameters import Parameter, check_parameters, form_of, parse_parameters

MARK: Final = "__opsmon_operation__"
F = TypeVar("F", bound=Callable[..., None])


@dataclass(frozen=True, slots=True)
class Operation:
    """A type of run."""

    #: The name with a dot, such as `inventory.sync`.
    type: str
    #: The name for people.
    label: str
    #: Called with the RunContext and the parameters.
    function: Callable[..., None]
    #: First line of the function's docstring.
    summary: str
    #: The form, in the order of the signature.
    parameters: tuple[Parameter, ...]
    #: The parameters whose values make two runs twins.
    identity: tuple[str, ...]
    #: Seconds until a run is completed as failed.
    timeout: float
    #: The right that a user needs in the tenant to start or retry it.
    right: Right = Right.START
    #: What alone starts and retries it, such as "its restore"; "" if everybody with the right does.
    only_from: str = ""

    @property
    def act(self) -> str:
        """What a user without the right may not do, such as "start or retry runs": part of an error message."""
        if self.right is Right.START:
            return "start or retry runs"
        return f"start or retry '{self.type}', which wants the role {self.right.role}"

    @property
    def why_no_start(self) -> str:
        """Why nobody starts it by its name; "" if one can."""
        return f"'{self.type}' is started from {self.only_from} alone" if self.only_from else ""

    def check_start(self) -> None:
        """Raises InputInvalid if it is started from one place alone."""
        if self.only_from:
            raise InputInvalid(self.why_no_start, "'opsmon restore' lists the restores")

    def check_retry(self, run: Run) -> None:
        """Raises InputInvalid if the run, one of this operation, is retried from one place alone; the text names the place."""
        if not self.only_from:
            return
        if run.restore_id is None:
            raise InputInvalid(f"run {run.id} belongs to {self.only_from}", "'opsmon restore' lists the restores")
        number = run.restore_id
        raise InputInvalid(
            f"run {run.id} belongs to restore {number}", f"'opsmon restore show {number}' says how to go on"
        )

    def parse(self, given: Mapping[str, str]) -> dict[str, Any]:
        """The parameters from texts (K=V). Raises InputInvalid."""
        return parse_parameters(self.parameters, given)

    def check(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters from JSON values, as in a run's context. Raises InputInvalid."""
        return check_parameters(self.parameters, given)

    def identity_inputs(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters that belong to the identity, with their values."""
        return {name: parameters[name] for name in self.identity}

    def identity_in(self, tenant_id: int, parameters: Mapping[str, Any]) -> str:
        """The identity of a run of this operation in a tenant: a hash that twins share, and no other run."""
        return identity_hash(tenant_id, self.type, self.identity_inputs(parameters))


def operation(
    type: str,  # noqa: A002 (the name that the contract gives it)
    *,
    label: str,
    identity: Iterable[str] | None = None,
    timeout: float = 3600.0,
    right: Literal["operator", "manager", "owner"] = "operator",
    only_from: str = "",
) -> Callable[[F], F]:
    """Turn a function into an operation.

    The function's first parameter is the RunContext; the others form the parameter form. Their types are str, int,
    float, bool, Literal, or a tuple of str or Literal, each optionally `| None`. Help texts come from the docstring's
    section `Args:`.

    `identity` names the parameters that distinguish runs (default: all): while a run is queued or running, a start with
    the same values attaches to it. After `timeout` seconds a run is completed as failed with `operation.timeout`.
    `right` is the lowest role that may start and retry it. `only_from` names what alone starts and retries it, such as
    "its restore": every other way refuses, and names that. Raises TypeError for an invalid declaration.
    """

    def mark(function: F) -> F:
        _check_names(type, label)
        _check_place(type, only_from)
        form = form_of(function)
        needed = _right(type, right)
        names = tuple(p.name for p in form) if identity is None else tuple(identity)
        unknown = set(names) - {p.name for p in form}
        if unknown:
            raise TypeError(f"operation '{type}': identity names {sorted(unknown)}, which are no parameters")
        shown = visible(label) or type  # it is stored with each run, and databases may refuse invisible characters
        summary = visible((inspect.getdoc(function) or "").partition("\n")[0]) or shown
        setattr(function, MARK, Operation(type, shown, function, summary, form, names, timeout, needed, only_from))
        return function

    return mark


def _check_names(type_: object, label: object) -> None:
    if not isinstance(type_, str) or not type_ or visible(type_) != type_:
        raise TypeError(f"an operation's type cannot be {type_!r}: give letters that can be seen")
    if not isinstance(label, str):
        raise TypeError(f"operation '{type_}': its label is no text")


def _check_place(type_: str, only_from: object) -> None:
    if not isinstance(only_from, str) or visible(only_from) != only_from:
        raise TypeError(f"operation '{type_}': only_from cannot be {only_from!r}: give words that can be seen")


def _right(type_: str, role: object) -> Right:
    known = {str(right.role): right for right in Right if right is not Right.VIEW}
    if not isinstance(role, str) or role not in known:
        raise TypeError(f"operation '{type_}': its right cannot be {role!r}: give {', '.join(known)}")
    return known[role]


def marked_operation(candidate: object) -> Operation | None:
    """The operation that a function is marked as; None for anything else."""
    try:
        mark = getattr(candidate, MARK, None) if callable(candidate) else None
        return mark if isinstance(mark, Operation) else None
    except Exception:  # such as a proxy that is not ready yet; not an operation in any case
        return None
