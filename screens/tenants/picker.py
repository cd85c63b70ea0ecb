"""The choice of a tenant: whose runs, inventory or directory are shown."""

from __future__ import annotations

from typing import ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from screens.base import PolledModal
from screens.text.safe import plain
from store.snapshot import Snapshot

#: What begins no slug: nothing, the id of the line for all tenants, and the keys that move and close.
_OTHERWISE: Final = ("", "-", "j", "k", "q")


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
        #: What was typed: the cursor is on the first tenant whose slug begins with it.
        self._typed = ""

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(f"{self._what}  (type its name, enter chooses, esc closes)", markup=False)
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

    def on_key(self, event: events.Key) -> None:
        """Go to the first tenant whose slug begins with what is typed; a letter that does not go on begins anew."""
        char = (event.character or "").lower()
        for typed in (self._typed + char, char) if char and char.isprintable() else ():
            if typed not in _OTHERWISE and (place := self._place(typed)) is not None:
                self._typed, self.query_one(OptionList).highlighted = typed, place
                event.stop()
                event.prevent_default()
                return
        self._typed = ""

    def _place(self, typed: str) -> int | None:
        """The place of the first tenant whose slug begins like that; None if there is none."""
        options = self.query_one(OptionList).options
        return next((at for at, one in enumerate(options) if str(one.id).lower().startswith(typed)), None)

    def action_cursor(self, by: int) -> None:
        listed = self.query_one(OptionList)
        listed.action_cursor_down() if by > 0 else listed.action_cursor_up()
