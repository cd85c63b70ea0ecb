"""The search in a run's log: which lines have a text, and which of them one is at. Pure."""

from __future__ import annotations

from collections.abc import Container, Hashable
from dataclasses import dataclass, replace

from textual.content import Content

from screens.run import log_lines
from screens.text.safe import clean
from store.runs.detail import RunDetail


@dataclass(frozen=True, slots=True)
class LogSearch:
    """A search that stands: `text`, the `keys` of the moments that have it, and the one that it is `at`."""

    text: str
    keys: tuple[Hashable, ...] = ()
    at: Hashable = None

    def read(self, detail: RunDetail) -> LogSearch:
        """The same search in what was read anew. It stays where it is."""
        keys = log_lines.matches(detail, self.text)
        return replace(self, keys=keys, at=self.at if self.at in keys else keys[0] if keys else None)

    def begin(self, behind: Container[Hashable]) -> LogSearch:
        """At the first match that is `behind`; if none is, at the first of all."""
        return replace(self, at=next((key for key in self.keys if key in behind), self.at))

    def go(self, by: int) -> LogSearch:
        """At the match `by` further on; behind the last one comes the first."""
        if self.at not in self.keys:
            return self
        return replace(self, at=self.keys[(self.keys.index(self.at) + by) % len(self.keys)])

    def words(self, detail: RunDetail, width: int) -> Content:
        """The line about the search: `/ text   3 of 17   n next  N previous  esc ends the search`."""
        number = self.keys.index(self.at) + 1 if self.at in self.keys else 0
        found = f"{number} of {len(self.keys)}" if self.keys else "no line has it"
        keys = "n next  N previous  esc ends the search" if self.keys else "esc ends the search"
        told = f"  {found}{log_lines.where(detail)}   "
        room = max(10, width - len(told) - len(keys) - 4)
        searched = Content.styled(clean(self.text), "bold").truncate(room, ellipsis=True)
        line = Content.assemble((" / ", "accent"), searched, told, (keys, "quiet"))
        return line.truncate(width, ellipsis=True)
