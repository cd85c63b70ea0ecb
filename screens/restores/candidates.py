"""The choice among the objects of the target tenant that an ambiguous item of a restore could be."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from screens.base import PolledModal
from screens.restores.item_lines import candidates
from screens.text.safe import plain
from store.intune.restore_page import RestoreItemDetail, RestoreItemWanted
from store.snapshot import Request, Snapshot


class CandidatesModal(PolledModal[str]):
    """Dismissed with the id of the chosen object."""

    DEFAULT_CSS = """
    CandidatesModal { align: center middle; }
    CandidatesModal Vertical { width: 90; max-width: 100%; height: auto; padding: 1; background: $panel; }
    CandidatesModal OptionList { height: auto; max-height: 70vh; margin-top: 1; }
    CandidatesModal Static { text-style: bold; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "cursor(1)", "Down", show=False),
        Binding("k", "cursor(-1)", "Up", show=False),
    ]

    def __init__(self, restore_id: int, item_id: int) -> None:
        super().__init__()
        self._wanted = RestoreItemWanted(restore_id, item_id)
        #: The ids of the objects, in the order of the list: an option cannot have any text as its id.
        self._ids: list[str] = []

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static("Waiting for the database.", id="what", markup=False)
            yield OptionList(markup=False)

    def on_mount(self) -> None:
        self.query_one(OptionList).focus()

    def contribute(self, request: Request) -> Request:
        return replace(request, restores=self._wanted)

    def on_snapshot(self, snapshot: Snapshot) -> None:
        if snapshot.request.restores != self._wanted:
            return
        detail = snapshot.restores if isinstance(snapshot.restores, RestoreItemDetail) else None
        found = candidates(detail.item) if detail else []
        name = detail.item.name if detail else ""
        told = f"Which one is {name}?  (enter chooses, esc closes)" if found else "There is nothing to choose any more."
        self.query_one("#what", Static).update(plain(told))
        listed = self.query_one(OptionList)
        if self._ids != (ids := [id_ for id_, _ in found]):
            self._ids = ids
            listed.clear_options()
            listed.add_options([Option(plain(f"{name or '(without a name)'}  {id_}")) for id_, name in found])
            listed.highlighted = 0 if ids else None

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        self.dismiss(self._ids[message.option_index])

    def action_cursor(self, by: int) -> None:
        listed = self.query_one(OptionList)
        listed.action_cursor_down() if by > 0 else listed.action_cursor_up()
