"""The user's saved views in this session: read once, then changed through the database."""

from __future__ import annotations

from collections.abc import Callable

from screens.background import Keys
from screens.shell import Shell
from store.search.saved_views import SavedView


class SavedViews:
    """`all` holds the saved views in the order of their keys F1 to F9."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self.all: tuple[SavedView, ...] = ()

    def load(self) -> None:
        """Read the saved views, in the background."""
        self._shell.background.run(self._shell.backend.preferences.views, self._loaded)

    def _loaded(self, found: tuple[SavedView, ...] | Exception) -> None:
        # On an error the database is away: the banner says so, and the next save returns all views.
        self.all = () if isinstance(found, Exception) else found

    def numbered(self, number: int) -> SavedView | None:
        """The view with this number, from 1; None, with a message to the user, if there is none."""
        if number <= len(self.all):
            return self.all[number - 1]
        self._shell.message(f"There is no view {number}: V saves what the list shows as one.", "warning")
        return None

    def keep(self, view: SavedView, then: Callable[[], object]) -> None:
        """Save a view, then call `then`. An error is shown instead."""
        self._change(lambda: self._shell.backend.preferences.save_view(view), then)

    def delete(self, name: str, then: Callable[[], object]) -> None:
        """Delete a view, then call `then`. An error is shown instead."""
        self._change(lambda: self._shell.backend.preferences.delete_view(name), then)

    def _change(self, change: Callable[[], tuple[SavedView, ...]], then: Callable[[], object]) -> None:
        def changed(views: tuple[SavedView, ...] | Exception) -> None:
            if isinstance(views, Exception):
                self._shell.error(views)
            else:
                self.all = views
                then()

        self._shell.background.run(change, changed, Keys.WAIT)
