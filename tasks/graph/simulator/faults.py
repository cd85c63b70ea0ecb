"""Scripted faults of the simulator: rules that make matching requests fail, break off or slow down."""

from __future__ import annotations

import threading
from dataclasses import dataclass, fields
from typing import Any

from store.errors import InputInvalid


@dataclass
class Fault:
    """One rule. It applies to requests that match `path`, `tenant`, `method` and `query`."""

    #: Part of the request's path.
    path: str = ""
    #: Slug of the tenant; empty for any.
    tenant: str = ""
    #: HTTP method; empty for any.
    method: str = ""
    #: Part of the query string as it was sent; empty for any.
    query: str = ""
    #: HTTP status to answer with instead; 0 keeps the right answer.
    status: int = 0
    #: Graph's code for the error, with `status` only; empty for the usual one.
    code: str = ""
    #: Value of the Retry-After header, with `status` only.
    retry_after: str | None = None
    #: Send half of the right answer, then close the connection: what was asked is carried out.
    break_off: bool = False
    #: Seconds to wait before answering.
    slow: float = 0.0
    #: Matching requests to let pass first.
    after: int = 0
    #: Of the requests after those, the rule strikes every so many: 20 for each twentieth.
    every: int = 1
    #: Requests that then fail; None for all.
    count: int | None = 1

    @staticmethod
    def from_json(given: dict[str, Any]) -> Fault:
        """Build a fault from its fields. Raises InputInvalid for unknown keys and for values of the wrong type or range."""
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

    def concerns(self, path: str, tenant: str, method: str, query: str) -> bool:
        """Whether a request is one of those that the rule is for."""
        return self.path in path and self.tenant in ("", tenant) and self.method in ("", method) and self.query in query


def _fits(name: str, value: object) -> bool:
    match name:
        case "path" | "tenant" | "method" | "query" | "code":
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
    """The rules in force. The first rule that matches a request applies. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Append a rule."""
        with self._lock:
            self._rules.append(fault)

    def clear(self) -> None:
        """Remove all rules."""
        with self._lock:
            self._rules.clear()

    def strike(self, path: str, tenant: str = "", method: str = "GET", query: str = "") -> Fault | None:
        """The fault for this request, or None; updates the rule's counters. `tenant` is the slug of the tenant that the
        token is for.
        """
        with self._lock:
            for rule in self._rules:
                if rule.count == 0 or not rule.concerns(path, tenant, method, query):
                    continue
                if rule.after > 0:
                    rule.after -= 1
                    continue
                if rule.every > 1:
                    rule.after = rule.every - 1
                if rule.count is not None:
                    rule.count -= 1
                return rule
        return None
