"""One item of a restore, whole: what the preview found, and what became of it."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual.binding import Binding, BindingType

from screens.base import LinesScreen
from screens.restores import item_lines
from store.intune.restore_page import RestoreItemDetail, RestoreItemWanted
from store.snapshot import Request, Snapshot


class RestoreItemScreen(LinesScreen[None]):
    """It moves with its restore: what a preview finds and what a run does shows at the next poll."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "Copy id", id="copy"),
    ]

    def __init__(self, restore_id: int, item_id: int) -> None:
        super().__init__()
        self._wanted = RestoreItemWanted(restore_id, item_id)
        self._detail: RestoreItemDetail | None = None

    @property
    def place(self) -> str:
        into = f"{self._detail.restore.tenant}, " if self._detail else ""
        return f"{into}item of restore {self._wanted.restore_id}"

    def contribute(self, request: Request) -> Request:
        return replace(request, restores=self._wanted)

    def on_snapshot(self, snapshot: Snapshot) -> None:
        if snapshot.request.restores != self._wanted:
            return
        detail = self._detail = snapshot.restores if isinstance(snapshot.restores, RestoreItemDetail) else None
        if detail is None:
            self.say("There is no such item any more, or it is not yours to see: its restore may have another scope.")
        else:
            width = max(20, self.size.width - 4)
            view = item_lines.View(width, self.shell.backend.kind_label, self.shell.ascii_only)
            self.page.show(item_lines.lines(detail, view))
        self.paint_header()
        self.refresh_keys()

    # -- keys -------------------------------------------------------------------------------------------------------------

    def disabled_reason(self, action: str) -> str | None:
        is_there = self._detail is not None or action != "copy"
        return None if is_there else "The item has not been read, or is gone."

    def action_copy(self) -> None:
        """Copy the id of the object in the target, or as long as there is none, that of the backup."""
        if self._detail is None:
            return
        item = self._detail.item
        if self.shell.copy_to_clipboard(item.target_id or item.external_id):
            self.shell.message("The id was sent to the terminal.")
