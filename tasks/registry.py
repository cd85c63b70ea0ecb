"""The operations that can be run: what `@operation` makes of a function, and where functions are found.

There is no list that modules write themselves into at import: the decorator leaves its mark on the function, and the registry
collects marked functions from the entry points of the group `opsmon.operations`.
"""

from __future__ import annotations

import importlib.metadata
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint
from typing import Any, Final, TypeVar

from store.access import Right
from store.errors import InputInvalid
from store.identity import identity_hash
from store.sanitize import sanitize, visible
from tasks.aside import NothingCame, aside
from tasks.parameters import Parameter, check_parameters, form_of, parse_parameters

GROUP: Final = "opsmon.operations"
#: How long a plug-in may take to be imported, in seconds, before the others go on without it.
LOADING_SECONDS: Final = 10.0
MAX_PROBLEM: Final = 300
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
        _check_names(type, label)
        form = form_of(function)
        names = tuple(p.name for p in form) if identity is None else tuple(identity)
        unknown = set(names) - {p.name for p in form}
        if unknown:
            raise TypeError(f"operation '{type}': identity names {sorted(unknown)}, which are no parameters")
        shown = visible(label) or type  # it is stored with each run, and a database may refuse what nobody sees
        summary = visible((inspect.getdoc(function) or "").partition("\n")[0]) or shown
        setattr(function, _MARK, Operation(type, shown, function, summary, form, names, timeout))
        return function

    return mark


def _check_names(type_: object, label: object) -> None:
    if not isinstance(type_, str) or not type_ or visible(type_) != type_:
        raise TypeError(f"an operation's type cannot be {type_!r}: give letters that can be seen")
    if not isinstance(label, str):
        raise TypeError(f"operation '{type_}': its label is no text")


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

    def visit(self, entry: EntryPoint) -> None:
        try:
            found = operations_of(entry) if _is_built_in(entry) else operations_aside(entry, LOADING_SECONDS)
        except Exception as error:  # a broken plug-in must not take the others down
            why = str(error) if isinstance(error, NothingCame) else f"{type(error).__name__}: {error}"
            self._complain(f"plug-in '{entry.name}' cannot be loaded: {why}")
            return
        for one in found:
            self._add(one, entry.name)

    def _add(self, new: Operation, source: str) -> None:
        known = self.found.setdefault(new.type, new)
        if known.function is not new.function:
            self._complain(f"plug-in '{source}' brings '{new.type}' again: the first one counts")

    def _complain(self, problem: str) -> None:
        self.problems.append(sanitize(problem, MAX_PROBLEM))

    def entries(self) -> list[EntryPoint]:
        """Built-in operations come first, so that no plug-in can take their names."""
        try:
            found = list(importlib.metadata.entry_points(group=GROUP))
        except Exception:  # one package's list that cannot be read takes all of them down
            found = self._readable_entries()
        return sorted(found, key=lambda entry: (not _is_built_in(entry), entry.name))

    def _readable_entries(self) -> list[EntryPoint]:
        found: dict[str, list[EntryPoint]] = {}
        for package in importlib.metadata.distributions():
            name = "?"
            try:
                name = package.name
                found.setdefault(name, list(package.entry_points.select(group=GROUP)))
            except Exception as error:
                self._complain(f"the entry points of package '{name}' cannot be read: {type(error).__name__}: {error}")
        return [entry for entries in found.values() for entry in entries]


def _is_built_in(entry: EntryPoint) -> bool:
    return entry.value.startswith("tasks.operations.")


def operations_aside(entry: EntryPoint, seconds: float) -> tuple[Operation, ...]:
    """The operations of a plug-in, whatever its import does. Raises NothingCame, also when it takes longer than `seconds`."""
    return aside(lambda: operations_of(entry), seconds)


def operations_of(entry: EntryPoint) -> tuple[Operation, ...]:
    """The operations of what an entry point names: a function, or a module with some. Importing it may raise anything."""
    loaded = entry.load()
    candidates = [loaded, *vars(loaded).values()] if inspect.ismodule(loaded) else [loaded]
    marks = [_mark_of(candidate) for candidate in candidates]
    return tuple(mark for mark in marks if mark is not None)


def _mark_of(candidate: object) -> Operation | None:
    try:
        mark = getattr(candidate, _MARK, None) if callable(candidate) else None
        return mark if isinstance(mark, Operation) else None
    except Exception:  # such as a proxy for what is not there yet; no operation in any case
        return None


def load_registry() -> Registry:
    """Everything that is installed, and what is wrong with it."""
    search = _Search()
    for entry in search.entries():
        search.visit(entry)
    return Registry(search.found, tuple(search.problems))
