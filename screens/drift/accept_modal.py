"""Accepting a finding: why the change may stay, and until when."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from screens.background import Keys
from screens.base import PolledModal
from screens.text import changes, roles
from screens.text.safe import clean
from screens.widgets.line_input import LineInput
from store.intune.drift_page import ListedFinding
from store.intune.drift_records import day_end


class AcceptModal(PolledModal[None]):
    """Enter in the last field accepts; what was typed stays until it is accepted or left."""

    DEFAULT_CSS = """
    AcceptModal { align: center middle; }
    AcceptModal Vertical { width: 90%; max-width: 90; height: auto; padding: 1 2; background: $panel; }
    AcceptModal Input { border: none; height: 1; margin: 0 0 1 0; padding: 0 1; background: $background; }
    AcceptModal Input:focus { border: none; background: $boost; }
    AcceptModal Static { height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", "Close")]

    def __init__(self, finding: ListedFinding) -> None:
        super().__init__()
        self._finding = finding

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(Content.assemble((clean(self._finding.policy_name), "bold")), markup=False)
            yield Static(Content(clean(changes.sentence(self._finding))[:300]), id="what", markup=False)
            yield Static("\nWhy the change may stay", markup=False)
            yield LineInput(id="reason", max_length=500)
            yield Static("Until which day (YYYY-MM-DD, in UTC); empty: for good", markup=False)
            yield LineInput(id="until", max_length=10)
            yield Static("", id="problem", markup=False)
            yield Static("enter accepts, esc leaves", id="keys", markup=False)

    def on_mount(self) -> None:
        self.query_one("#reason", Input).focus()

    def on_input_submitted(self, message: Input.Submitted) -> None:
        reason, until = (self.query_one(f"#{name}", Input) for name in ("reason", "until"))
        if not reason.value.strip():
            self._refuse("A reason is needed: who looks later must understand.", reason)
        elif message.input is reason and not until.value:
            until.focus()
        else:
            try:
                day = day_end(until.value.strip()) if until.value.strip() else None
            except (ValueError, OverflowError):
                self._refuse("That is not a day: write YYYY-MM-DD.", until)
                return
            self._accept(reason.value, day)

    @property
    def would_lose(self) -> bool:
        return any(field.value.strip() for field in self.query(Input))

    def _refuse(self, problem: str, field: Input) -> None:
        self.query_one("#problem", Static).update(Content.styled(problem, roles.content_style("failed")))
        field.focus()

    def _accept(self, reason: str, until: dt.datetime | None) -> None:
        backend, id_ = self.shell.backend, self._finding.id
        self.in_background(lambda: backend.accept_drift(id_, reason, until), self._accepted, Keys.WAIT)

    def _accepted(self, result: Exception | None) -> None:
        if isinstance(result, Exception):
            self._refuse(clean(str(result)), self.query_one("#reason", Input))
            return
        self.shell.message("The change is accepted.")
        self.shell.poll_now()
        self.dismiss()
