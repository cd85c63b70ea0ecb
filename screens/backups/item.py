"""One item of a backup set, whole."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual.binding import Binding, BindingType

from screens.backups import item_lines
from screens.backups.acting import why_no_plan
from screens.base import LinesScreen
from screens.text.json_tree import Path
from screens.widgets import policy_sections
from screens.widgets.line_view import Line, LineView
from store.intune.backup_page import BackupItemDetail, ItemWanted
from store.snapshot import Request, Snapshot


class BackupItemScreen(LinesScreen[None]):
    """Shows what never changes; the poll says whether the set is still there."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "plan", "Restore", id="plan_restore"),
        Binding("z", "fold", "Unfold or fold all", id="fold"),
        Binding("y", "copy", "Copy id", id="copy"),
    ]

    def __init__(self, item_id: int) -> None:
        super().__init__()
        self._wanted = ItemWanted(item_id)
        self._detail: BackupItemDetail | None = None
        self._opened: frozenset[Path] | None = None
        #: The body as lines, with what they were made for: it may be long.
        self._body: tuple[object, list[Line]] = (None, [])

    @property
    def place(self) -> str:
        found = self._detail.found if self._detail else None
        return f"{found.tenant}, item of backup set {found.id}" if found else "item of a backup set"

    def contribute(self, request: Request) -> Request:
        return replace(request, backups=self._wanted)

    def on_snapshot(self, snapshot: Snapshot) -> None:
        if snapshot.request.backups != self._wanted:
            return
        detail = self._detail = snapshot.backups if isinstance(snapshot.backups, BackupItemDetail) else None
        if detail is None:
            self.say("There is no such item any more, or it is not yours to see: its backup set may have been removed.")
        else:
            self.page.show(self._lines(detail, snapshot))
        self.paint_header()
        self.refresh_keys()

    def _lines(self, detail: BackupItemDetail, snapshot: Snapshot) -> list[Line]:
        if self._opened is None:
            self._opened = policy_sections.opened_at_first(detail.item.body)
        view = item_lines.View(
            snapshot.at,
            max(20, self.size.width - 4),
            self._opened,
            self.shell.backend.kind_label,
            self.shell.ascii_only,
            self.shell.times,
        )
        made_for = (self._opened, view.width, view.ascii_only)
        if self._body[0] != made_for:
            self._body = (made_for, policy_sections.body(detail.item.body, view))
        return item_lines.head(detail, view) + self._body[1]

    # -- keys -------------------------------------------------------------------------------------------------------------

    def disabled_reason(self, action: str) -> str | None:
        if action in ("fold", "copy", "plan") and self._detail is None:
            return "The item has not been read, or is gone."
        return why_no_plan(self, self._detail.found) if self._detail and action == "plan" else None

    def action_plan(self) -> None:
        """Open the form that plans a restore of the item alone."""
        if detail := self._detail:
            self.shell.navigator.plan_restore(detail.found, (detail.id, detail.item.name))

    def action_fold(self) -> None:
        """Unfold everything; if everything is unfolded, fold everything."""
        if self._detail:
            everything = policy_sections.foldable(self._detail.item.body)
            self._opened = frozenset() if everything <= (self._opened or frozenset()) else everything
            self.show_again()

    def action_copy(self) -> None:
        """Copy the id that the policy had in Microsoft Graph."""
        if self._detail and self.shell.copy_to_clipboard(self._detail.item.external_id):
            self.shell.message("The id was sent to the terminal.")

    def on_line_view_activated(self, message: LineView.Activated) -> None:
        if not isinstance(message.target, int):
            self._opened = (self._opened or frozenset()) ^ {message.target}
            self.show_again()
