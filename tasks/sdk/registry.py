"""The registry of operations, and how functions are found.

Modules do not register anything at import. The decorator marks a function, and the registry collects the marked
functions from the entry points of the group `opsmon.operations`.
"""

from __future__ import annotations

import importlib.metadata
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint
from typing import Final

from store.errors import InputInvalid
from store.sanitizer.sanitize import sanitize
from tasks.sdk.aside import NothingCame, aside
from tasks.sdk.operation import MARK, Operation, marked_operation

GROUP: Final = "opsmon.operations"
#: Seconds that the import of a plug-in may take before it is skipped.
LOADING_SECONDS: Final = 10.0
#: Characters of one problem.
MAX_PROBLEM: Final = 300


@dataclass(frozen=True)
class Registry:
    """The operations by type, and the problems found while loading them (one line each)."""

    operations: Mapping[str, Operation]
    problems: tuple[str, ...] = ()

    def get(self, type_: str) -> Operation:
        """The operation of this type. Raises InputInvalid if there is none."""
        found = self.operations.get(type_)
        if found is None:
            raise InputInvalid(f"there is no operation '{type_}'", "'opsmon operations' lists them")
        return found

    def __iter__(self) -> Iterator[Operation]:
        return iter(sorted(self.operations.values(), key=lambda found: found.type))

    @staticmethod
    def of(functions: Iterable[Callable[..., None]]) -> Registry:
        """A registry of these decorated functions only."""
        marked = (getattr(function, MARK) for function in functions)
        return Registry({found.type: found for found in marked})


@dataclass
class _Search:
    found: dict[str, Operation] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def visit(self, entry: EntryPoint) -> None:
        try:
            found = operations_of(entry) if _is_built_in(entry) else operations_aside(entry, LOADING_SECONDS)
        except Exception as error:  # a broken plug-in must not affect the others
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
        except Exception:  # one unreadable package makes this call fail for all of them
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
    """The operations of a plug-in, imported with a time limit. Raises NothingCame if the import fails or takes more
    than `seconds`.
    """
    return aside(lambda: operations_of(entry), seconds)


def operations_of(entry: EntryPoint) -> tuple[Operation, ...]:
    """The operations of an entry point, which names a function or a module. Its import may raise anything."""
    loaded = entry.load()
    candidates = [loaded, *vars(loaded).values()] if inspect.ismodule(loaded) else [loaded]
    marks = [marked_operation(candidate) for candidate in candidates]
    return tuple(mark for mark in marks if mark is not None)


def load_registry() -> Registry:
    """The registry of all installed operations, and the problems found while loading them."""
    search = _Search()
    for entry in search.entries():
        search.visit(entry)
    return Registry(search.found, tuple(search.problems))
