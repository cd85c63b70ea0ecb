"""What goes wrong, by script: so many requests of a path answer otherwise than they should."""

from __future__ import annotations

import threading
from dataclasses import dataclass, fields
from typing import Any

from store.errors import InputInvalid


@dataclass
class Fault:
    """One rule, for requests whose path contains `path`, of the tenant with the slug `tenant` (empty: of any).

    `status` is answered instead (0: the answer is right but for what follows), with `retry_after` as its header when given.
    `break_off` sends half of the right answer and closes. `slow` waits so many seconds first. `after` lets so many requests
    pass; then `count` are struck (None: all).
    """

    path: str = ""
    tenant: str = ""
    status: int = 0
    retry_after: str | None = None
    break_off: bool = False
    slow: float = 0.0
    after: int = 0
    count: int | None = 1

    @staticmethod
    def from_json(given: dict[str, Any]) -> Fault:
        """Raises InputInvalid for keys that are no field, and values that do not fit theirs."""
        unknown = set(given) - {field.name for field in fields(Fault)}
        if unknown:
            raise InputInvalid(f"a fault has no '{min(unknown)}'", f"known: {', '.join(f.name for f in fields(Fault))}")
        wrong = {name for name, value in given.items() if not _fits(name, value)}
        if wrong:
            raise InputInvalid(
                f"a fault's '{min(wrong)}' cannot be {given[min(wrong)]!r}",
                "tasks/graph/simulator/faults.py tells what can be given",
            )
        return Fault(**given)


def _fits(name: str, value: object) -> bool:
    match name:
        case "path" | "tenant":
            return isinstance(value, str)
        case "break_off":
            return isinstance(value, bool)
        case "slow":
            return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 3600
        case "status":
            return type(value) is int and (value == 0 or 200 <= value <= 599)
        case "retry_after":
            return value is None or (isinstance(value, str) and value.isascii() and value.isprintable())
    return (value is None and name == "count") or (type(value) is int and value >= 0)


class Faults:
    """The rules in force; the first that fits a request strikes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[Fault] = []

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._rules.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._rules.clear()

    def strike(self, path: str, tenant: str = "") -> Fault | None:
        """The fault for this request, counted down. `tenant` is whose token it carries."""
        with self._lock:
            for rule in self._rules:
                if rule.path not in path or rule.tenant not in ("", tenant) or rule.count == 0:
                    continue
                if rule.after > 0:
                    rule.after -= 1
                    continue
                if rule.count is not None:
                    rule.count -= 1
                return rule
        return None
