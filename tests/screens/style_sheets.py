"""Style sheets that are parsed once in a process: every application of a test parses the same ones in the same colours."""

from __future__ import annotations

from typing import Any

from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet

#: What was parsed, by Textual's own key, for each set of variables: that of a theme.
_PARSED: dict[tuple[tuple[str, str], ...], dict[tuple[Any, ...], list[RuleSet]]] = {}


class SharedStylesheet(Stylesheet):
    """Textual's keeps what it has parsed for itself, drops it with every theme, and keeps no more than 64 sources."""

    def __init__(self, *, variables: dict[str, str] | None = None) -> None:
        super().__init__(variables=variables)
        self._share()

    def set_variables(self, variables: dict[str, str]) -> None:
        self._parse_cache = {}  # type: ignore[assignment]  # it is cleared: not the one that others share
        super().set_variables(variables)
        self._share()

    def _share(self) -> None:
        self._parse_cache = _PARSED.setdefault(tuple(self._variables.items()), {})  # type: ignore[assignment]
