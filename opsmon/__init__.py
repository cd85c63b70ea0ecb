"""opsmon: watch and start long-running tenant operations from a terminal.

Authors of operations import everything they need from here: `from opsmon import operation, RunContext`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from store.errors import OperationFailed
    from tasks.sdk.context import RunContext
    from tasks.sdk.operation import operation

__all__ = ["OperationFailed", "RunContext", "operation"]

_HOMES = {"OperationFailed": "store.errors", "RunContext": "tasks.sdk.context", "operation": "tasks.sdk.operation"}


def __getattr__(name: str) -> Any:
    # Import at first use: starting the screens imports this package, too, and must not wait for the rooms below.
    if name not in _HOMES:
        raise AttributeError(f"module 'opsmon' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
