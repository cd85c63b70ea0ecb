"""The catalogue of mutants as it is kept in catalogue.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

CATALOGUE = Path(__file__).with_name("catalogue.toml")


@dataclass(frozen=True)
class Mutant:
    """One wrong change: in `file`, `new` in place of `old`, which stands there once. Each of `tests` is a pytest node id."""

    name: str
    rule: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    may_hang: bool = False

    def applied_to(self, text: str) -> str:
        """The changed file. Raises ValueError when `old` does not stand in it exactly once."""
        if text.count(self.old) != 1:
            raise ValueError(f"{self.name}: its old text stands {text.count(self.old)} times in {self.file}")
        return text.replace(self.old, self.new)


def load() -> tuple[Mutant, ...]:
    """Every mutant, in the catalogue's order."""
    tables = tomllib.loads(CATALOGUE.read_text(encoding="utf-8"))["mutant"]
    return tuple(Mutant(**{**table, "tests": tuple(table["tests"])}) for table in tables)
