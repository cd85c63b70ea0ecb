"""What the screens of a tenant's data have in common: their tenant, and the key that starts the operation that reads it."""

from __future__ import annotations

from typing import ClassVar

from screens.background import Keys
from screens.base import PolledView
from tasks.sdk.operation import Operation


class CanSync(PolledView):
    """A screen of one tenant with a key for `action_sync`, whose binding has the operation's name."""

    #: The type of the operation, and its name for people.
    SYNC: ClassVar[str]
    SYNC_LABEL: ClassVar[str]
    #: The tenant's slug; "" as long as it is unknown.
    tenant = ""

    def why_no_sync(self) -> str | None:
        """Why the user cannot start the operation in this tenant; None if they can."""
        if self.tenant in {member.tenant.slug for member in self.shell.actions.may_start_in()}:
            return None
        return self.shell.actions.why_no_start() or f"You may look at {self.tenant}, not start runs there."

    @property
    def how_to_sync(self) -> str:
        """What to press or whom to ask where nothing was read yet."""
        who = "Somebody who may start runs" if self.why_no_sync() else "s"
        return f"{who} starts {self.SYNC_LABEL}."

    def disabled_reason(self, action: str) -> str | None:
        return self.why_no_sync() if action == "sync" else None

    def action_sync(self) -> None:
        """Open the form of the operation."""
        self.in_background(lambda: self.shell.backend.dispatcher().registry.get(self.SYNC), self._open_form, Keys.WAIT)

    def _open_form(self, found: Operation | Exception) -> None:
        if isinstance(found, Exception):
            self.shell.error(found)
        else:
            self.shell.navigator.form(found, tenant=self.tenant)
