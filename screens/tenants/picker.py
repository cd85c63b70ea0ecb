"""The choice of a tenant: whose runs, inventory or directory are shown."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from screens.base import PolledModal
from screens.text.safe import plain
from store.snapshot import Snapshot


class TenantPicker(PolledModal[str]):
    """Dismissed with the chosen tenant's slug, or "" for all tenants of the user."""

    DEFAULT_CSS = """
    TenantPicker { align: center middle; }
    TenantPicker Vertical { width: 60; max-width: 100%; height: auto; padding: 1; background: $panel; }
    TenantPicker OptionList { height: auto; max-height: 80vh; margin-top: 1; }
    TenantPicker Static { text-style: bold; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "cursor(1)", "Down", show=False),
        Binding("k", "cursor(-1)", "Up", show=False),
    ]

    def __init__(self, what: str = "Show runs of", *, with_all: bool = True) -> None:
        super().__init__()
        self._what = what
        self._with_all = with_all

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(f"{self._what}  (enter chooses, esc closes)", markup=False)
            yield OptionList(markup=False)

    def on_mount(self) -> None:
        if self.shell.snapshot:
            self.on_snapshot(self.shell.snapshot)
        self.query_one(OptionList).focus()

    def on_snapshot(self, snapshot: Snapshot) -> None:
        choices: list[str | None] = [member.tenant.slug for member in snapshot.memberships]
        if self._with_all:
            choices.insert(0, None)
        listed = self.query_one(OptionList)
        if [option.id for option in listed.options] == [slug or "-" for slug in choices]:
            return
        words = {
            member.tenant.slug: f"{member.tenant.slug}  {member.tenant.name}  ({member.role})"
            for member in snapshot.memberships
        }
        listed.clear_options()
        listed.add_options([Option(plain(words[slug] if slug else "all tenants"), id=slug or "-") for slug in choices])
        listed.highlighted = choices.index(self.shell.tenant) if self.shell.tenant in choices else 0

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        self.dismiss("" if message.option_id == "-" else message.option_id)

    def action_cursor(self, by: int) -> None:
        listed = self.query_one(OptionList)
        listed.action_cursor_down() if by > 0 else listed.action_cursor_up()
