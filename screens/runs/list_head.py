"""The lines above the list of runs: tabs, filter, greeting, and why the list is empty; and the field for another filter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content

from screens.base import ScreenShell
from screens.runs import lines
from screens.runs.completion import Known, known_from
from screens.runs.filter_input import FilterInput
from screens.text.safe import clean
from screens.widgets import header_lines
from store.model.records import Count
from store.search.saved_views import SavedView
from store.search.tabs import TABS
from store.snapshot import Snapshot


class ListHead(Vertical):
    """While the field is open, its hint takes the place of the filter. `Tabs.Chosen`, and once the field is closed
    `FilterInput.Applied` and `FilterInput.Left`, go on to the screen.
    """

    DEFAULT_CSS = """
    ListHead { height: auto; }
    ListHead #empty { display: none; height: 1; padding: 0 2; }
    ListHead #empty.empty { display: block; }
    ListHead #greeting { display: none; }
    ListHead #greeting.shown { display: block; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._tabs = header_lines.Tabs(id="tabs")
        self._filter = header_lines.Line(id="filter")
        self._field = FilterInput(self._known)
        self._greeting = header_lines.Line(id="greeting")
        self._empty = header_lines.Line(id="empty")
        self._told = Content()
        self._hint: str | None = None
        #: Types of all operations, for completion; read when the field is first opened.
        self.types: tuple[str, ...] = ()

    def compose(self) -> ComposeResult:
        yield self._tabs
        yield self._filter
        yield self._field
        yield self._greeting
        yield self._empty

    @property
    def _shell(self) -> ScreenShell:
        return cast("ScreenShell", self.app)

    # -- what is told -----------------------------------------------------------------------------------------------------

    def tell(
        self, snapshot: Snapshot | None, view: SavedView, contradicted: str | None, marked: int, is_below_top: bool
    ) -> None:
        """Tell of the list: what it shows, why no run can match that, how many runs are marked, and whether the window is
        further down.
        """
        shell, width = self._shell, self.screen.size.width
        counts: Mapping[str, Count | None] = snapshot.counts if snapshot else dict.fromkeys(TABS)
        self._tabs.show(counts, view.tab, width, shell.ascii_only)
        page, total = (snapshot.page, snapshot.total) if snapshot else (None, None)
        more = lines.more(page, marked, view.order, is_below_top, shell.times)
        self._told = header_lines.filter_line(view.terms, counts[view.tab], total, more, shell.ascii_only, width)
        self._paint_filter()
        self._greeting.set_class(shell.memory.is_new, "shown")
        self._greeting.put(Content.styled(lines.GREETING, "accent"))
        self._empty.set_class(not (page and page.runs), "empty")
        self._empty.put(Content(lines.nothing(page, contradicted, view.tab, view.terms)))

    def _paint_filter(self) -> None:
        self._filter.put(self._told if self._hint is None else Content(clean(f" {self._hint}")))

    # -- another filter ---------------------------------------------------------------------------------------------------

    def open_filter(self, terms: str) -> None:
        """Open the field, filled with these terms."""
        shell = self._shell
        if not self.types:
            shell.background.run(lambda: tuple(shell.backend.dispatcher().registry.operations), self._have_types)
        self._field.open(terms, shell.memory.last.history)

    def _have_types(self, found: tuple[str, ...] | Exception) -> None:
        self.types = () if isinstance(found, Exception) else found

    def _known(self) -> Known:
        snapshot = self._shell.snapshot
        tenants = [member.tenant.slug for member in snapshot.memberships] if snapshot else []
        return known_from(snapshot.runs if snapshot else (), tenants, self.types, self._shell.tenant)

    @on(FilterInput.Hinted)
    def _hinted(self, message: FilterInput.Hinted) -> None:
        self._hint = message.words
        self._paint_filter()

    @on(FilterInput.Refused)
    def _refused(self, message: FilterInput.Refused) -> None:
        self._shell.message(message.words, "error")

    @on(FilterInput.Applied)
    def _applied(self, message: FilterInput.Applied) -> None:
        self._close_filter(message.terms)

    @on(FilterInput.Left)
    def _left(self, message: FilterInput.Left) -> None:
        self._close_filter(message.typed)

    def _close_filter(self, typed: str) -> None:
        self._shell.memory.note_filter(typed)
        self._hint = None
        self._field.close()
        self._paint_filter()
