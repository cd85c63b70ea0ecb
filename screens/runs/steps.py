"""The way back through the list's filters: each esc goes one step."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from store.search.saved_views import SavedView

#: Everything, the newest first.
ALL: Final = SavedView("")
#: Steps that are remembered.
_MOST: Final = 50


@dataclass(frozen=True, slots=True)
class Step:
    """What the list showed before, and whether it was left through the failure groups."""

    view: SavedView
    is_groups: bool = False


@dataclass(slots=True)
class Steps:
    """The steps that were taken since the list opened."""

    _taken: list[Step] = field(default_factory=list)

    def take(self, before: SavedView, *, is_groups: bool = False) -> None:
        """The list goes on from this view to another one."""
        self._taken = [*self._taken[1 - _MOST :], Step(before, is_groups)]

    def back(self, now: SavedView) -> Step | None:
        """The step to go back to; with none taken, the list without a filter; None where there is nothing to undo."""
        while self._taken:
            step = self._taken.pop()
            if step.is_groups or step.view.terms != now.terms:
                return step
        return Step(replace(now, terms="")) if now.terms else None
