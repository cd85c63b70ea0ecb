"""The operations that can be run: what `@operation` makes of a function, and where functions are found.

There is no list that modules write themselves into at import: the decorator leaves its mark on the function, and the registry
collects marked functions from the entry points of the group `opsmon.operations`.
"""

from __future__ import annotations

import importlib.metadata
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from store.access import Right
from store.errors import InputInvalid
from store.identity import identity_hash
from tasks.parameters import Parameter, check_parameters, form_of, parse_parameters

GROUP: Final = "opsmon.operations"
_MARK: Final = "__opsmon_operation__"
F = TypeVar("F", bound=Callable[..., None])


@dataclass(frozen=True, slots=True)
class Operation:
    """A type of run. `timeout` is in seconds; `identity` names the parameters that make two starts twins."""

    type: str
    label: str
    function: Callable[..., None]
    summary: str
    parameters: tuple[Parameter, ...]
    identity: tuple[str, ...]
    timeout: float
    right: Right = Right.START

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
) -> Callable[[F], F]:
    """Make a function an operation.

    Its first parameter is the RunContext, the others are the parameter form: types str, int, float, bool, Literal, or a tuple of
    str or Literal, each possibly `| None`; help comes from the docstring's `Args:`. `identity` names the parameters that tell
    runs apart (default: all): while one is queued or running, a start with the same values joins it. `timeout`, in seconds, is
    when the run is completed as failed with `operation.timeout`.
    """

    def mark(function: F) -> F:
        form = form_of(function)
        names = tuple(p.name for p in form) if identity is None else tuple(identity)
        unknown = set(names) - {p.name for p in form}
        if unknown:
            raise TypeError(f"operation '{type}': identity names {sorted(unknown)}, which are no parameters")
        summary = (inspect.getdoc(function) or label).splitlines()[0]
        setattr(function, _MARK, Operation(type, label, function, summary, form, names, timeout))
        return function

    return mark


@dataclass(frozen=True)
class Registry:
    """Operations by type, and what went wrong while they were looked for (one line each)."""

    operations: Mapping[str, Operation]
    problems: tuple[str, ...] = ()

    def get(self, type_: str) -> Operation:
        """Raises InputInvalid when there is none."""
        found = self.operations.get(type_)
        if found is None:
            raise InputInvalid(f"there is no operation '{type_}'", "'opsmon operations' lists them")
        return found

    def __iter__(self) -> Iterator[Operation]:
        return iter(sorted(self.operations.values(), key=lambda found: found.type))

    @staticmethod
    def of(functions: Iterable[Callable[..., None]]) -> Registry:
        """A registry of these decorated functions alone."""
        marked = (getattr(function, _MARK) for function in functions)
        return Registry({found.type: found for found in marked})


@dataclass
class _Search:
    found: dict[str, Operation] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def visit(self, entry: importlib.metadata.EntryPoint) -> None:
        try:
            loaded = entry.load()
        except Exception as error:  # a broken plug-in must not take the others down
            self.problems.append(f"plug-in '{entry.name}' cannot be loaded: {type(error).__name__}: {error}")
            return
        for candidate in [loaded, *vars(loaded).values()] if inspect.ismodule(loaded) else [loaded]:
            mark = getattr(candidate, _MARK, None) if callable(candidate) else None
            if isinstance(mark, Operation):
                self._add(mark, entry.name)

    def _add(self, new: Operation, source: str) -> None:
        known = self.found.setdefault(new.type, new)
        if known.function is not new.function:
            self.problems.append(f"plug-in '{source}' brings '{new.type}' again: the first one counts")


def load_registry() -> Registry:
    """Everything that is installed. Built-in operations come first, so that no plug-in can take their names."""
    search = _Search()
    entries = importlib.metadata.entry_points(group=GROUP)
    for entry in sorted(entries, key=lambda e: (not e.value.startswith("tasks.operations."), e.name)):
        search.visit(entry)
    return Registry(search.found, tuple(search.problems))
