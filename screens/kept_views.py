"""The user's named views in this session: read once, changed through the database, shown by number."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from screens.live import Keys
from screens.runs import RunsScreen
from store.errors import OpsmonError
from store.views import View

if TYPE_CHECKING:
    from screens.monitor import Monitor


class KeptViews:
    """`all` is what is kept, in the order of their keys."""

    def __init__(self, monitor: Monitor) -> None:
        self._monitor = monitor
        self.all: tuple[View, ...] = ()

    def load(self) -> None:
        """Read them, in the background."""
        self._monitor.in_background(self._monitor.backend.keeps.views, self._loaded)

    def _loaded(self, found: tuple[View, ...] | Exception) -> None:
        # The database is away, then: that is told elsewhere, and the views are read when one is kept.
        self.all = () if isinstance(found, Exception) else found

    def show(self, number: int) -> None:
        """Show the list as the view of that number keeps it."""
        if number > len(self.all):
            self._monitor.say(f"There is no view {number}: V keeps what the list shows as one.", "warning")
            return
        listed = self._monitor.back_to(RunsScreen)
        try:
            listed.show_view(self.all[number - 1])
        except OpsmonError as error:
            self._monitor.say(str(error), "error")

    def keep(self, view: View, then: Callable[[], object]) -> None:
        """Keep a view, and go on once it is kept."""
        self._change(lambda: self._monitor.backend.keeps.keep_view(view), then)

    def delete(self, name: str, then: Callable[[], object]) -> None:
        """Keep the view no longer, and go on."""
        self._change(lambda: self._monitor.backend.keeps.delete_view(name), then)

    def _change(self, change: Callable[[], tuple[View, ...]], then: Callable[[], object]) -> None:
        def changed(views: tuple[View, ...] | Exception) -> None:
            if isinstance(views, Exception):
                self._monitor.say_error(views)
            else:
                self.all = views
                then()

        self._monitor.in_background(change, changed, Keys.WAIT)
