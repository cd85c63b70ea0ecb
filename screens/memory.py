"""What the user looks at, kept for the next time: read when the screens open, stored when it changes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from screens.shell import Shell
from store.search.last_view import LastView


@dataclass(frozen=True, slots=True)
class Opening:
    """How the screens open: with what the user looked at last, with the filter `terms` in its place, or on the run
    `run_id` above it. `last` is None for one who was never here.
    """

    last: LastView | None = None
    terms: str | None = None
    run_id: int | None = None


#: With nothing remembered, by nobody new.
AS_EVER = Opening(LastView())


@dataclass(slots=True)
class Memory:
    """What the user looks at now. One write is under way at a time: what changes meanwhile is stored after it."""

    shell: Shell
    last: LastView
    #: Whether the user was never here, and has not touched anything yet.
    is_new: bool = False
    _stored: LastView | None = field(init=False)
    _is_writing: bool = False

    def __post_init__(self) -> None:
        self._stored = None if self.is_new else self.last

    def note(self, **changed: Any) -> None:
        """Keep these fields of LastView. What could not be stored is with the next change: the banner says that the
        database is away.
        """
        self.last = replace(self.last, **changed)
        self._store()

    def greeted(self) -> None:
        """The user has begun: what is said to those who were never here is not said again."""
        self.is_new = False
        self._store()

    def note_filter(self, terms: str) -> None:
        """Keep a filter as the newest of the history."""
        self.note(history=self.last.with_filter(terms))

    def _store(self) -> None:
        if self._is_writing or self.last == self._stored:
            return
        self._is_writing, now = True, self.last

        def done(result: object) -> None:
            self._is_writing = False
            if not isinstance(result, Exception):
                self._stored = now
            if self.last != now:
                self._store()

        save = self.shell.backend.preferences.save_last
        self.shell.background.run(lambda: save(now), done)
