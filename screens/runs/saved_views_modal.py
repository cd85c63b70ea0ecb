"""The dialog of saved views: show one, save the list's present view, delete one."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from screens.base import PolledModal
from screens.text.safe import clean
from screens.widgets.line_input import LineInput
from store.search.pages import Order
from store.search.saved_views import SavedView


class SavedViewsModal(PolledModal[SavedView]):
    """The user's views with their keys. A name and enter saves the present view; del deletes the highlighted one."""

    DEFAULT_CSS = """
    SavedViewsModal { align: center middle; }
    SavedViewsModal Vertical { width: 76; max-width: 100%; height: auto; max-height: 90%; background: $panel; padding: 0 1; }
    SavedViewsModal OptionList, SavedViewsModal OptionList:focus { height: auto; max-height: 60%; border: none; }
    SavedViewsModal Input { height: 1; border: none; padding: 0 1; background: $surface; }
    SavedViewsModal Input:focus { border: none; background: $boost; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("delete,ctrl+x", "delete", "Delete"),
        Binding("tab", "app.focus_next", "Name", show=False),
    ]

    def __init__(self, shown: SavedView) -> None:
        """`shown` is the list's present view, to be saved under a name."""
        super().__init__()
        self._to_keep = shown
        #: The name that is being saved.
        self._saved_as = ""

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static("Views: enter shows one, del deletes it; tab, a name: save what is shown", markup=False)
            yield OptionList(markup=False)
            yield Static(words_of(self._to_keep), markup=False)
            yield LineInput(placeholder="name to save it under", max_length=40)

    def on_mount(self) -> None:
        self._fill()
        (self.query_one(OptionList) if self.shell.saved_views.all else self.query_one(Input)).focus()

    def _fill(self) -> None:
        options = self.query_one(OptionList)
        options.clear_options()
        for number, view in enumerate(self.shell.saved_views.all, 1):
            words = Content.assemble((f"f{number}  {clean(view.name)}", "bold"), "  ", words_of(view))
            options.add_option(Option(words))
        if not self.shell.saved_views.all:
            options.add_option(Option("No view is saved yet.", disabled=True))
        options.highlighted = 0 if self.shell.saved_views.all else None

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        self.dismiss(self.shell.saved_views.all[message.option_index])

    def on_input_submitted(self, message: Input.Submitted) -> None:
        shown, name = self._to_keep, message.value.strip()
        view = SavedView(name, shown.terms, shown.tab, shown.order)
        if name in [one.name for one in self.shell.saved_views.all]:
            self.shell.ask(f"Replace the view {name}?", lambda: self._keep(view))
        else:
            self._keep(view)

    def _keep(self, view: SavedView) -> None:
        self._saved_as = view.name
        self.shell.saved_views.keep(view, self._kept)

    @property
    def would_lose(self) -> bool:
        return self.query_one(Input).value.strip() not in ("", self._saved_as)

    def _kept(self) -> None:
        # Saving takes time: another screen may be on top by now.
        if self.is_current:
            self.dismiss()

    def _deleted(self) -> None:
        if self.is_attached:
            self._fill()

    def action_delete(self) -> None:
        options = self.query_one(OptionList)
        if options.has_focus and options.highlighted is not None and self.shell.saved_views.all:
            name = self.shell.saved_views.all[options.highlighted].name
            self.shell.ask(f"Delete the view {name}?", lambda: self.shell.saved_views.delete(name, self._deleted))


def words_of(view: SavedView) -> Content:
    """A description of the view: terms, tab and order."""
    parts = [view.terms or "no filter", *([] if view.tab == "All" else [f"tab {view.tab}"])]
    parts += [] if view.order is Order.CREATED else [f"by {view.order}"]
    return Content(clean(", ".join(parts)))
