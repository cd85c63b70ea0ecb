"""What the screens of the inventory have in common: their tenant, and the key that starts Sync policies."""

from __future__ import annotations

from typing import Final

from screens.background import Keys
from screens.base import PolledView
from tasks.sdk.operation import Operation

#: The operation that reads policies whole.
SYNC: Final = "policy.sync"
#: What to do where nothing was read yet, for those who may start runs, and for others.
START: Final = "s starts Sync policies."
ASK: Final = "Somebody who may start runs starts Sync policies."


class CanSync(PolledView):
    """A screen of one tenant with a key for `action_sync`. `tenant` is the tenant's slug; "" as long as it is unknown."""

    tenant = ""

    def why_no_sync(self) -> str | None:
        """Why the user cannot start the operation in this tenant; None if they can."""
        if self.tenant in {member.tenant.slug for member in self.shell.actions.may_start_in()}:
            return None
        return self.shell.actions.why_no_start() or f"You may look at {self.tenant}, not start runs there."

    @property
    def how_to_sync(self) -> str:
        """What to press or whom to ask."""
        return ASK if self.why_no_sync() else START

    def disabled_reason(self, action: str) -> str | None:
        return self.why_no_sync() if action == "sync" else None

    def action_sync(self) -> None:
        """Open the form of the operation."""
        self.in_background(lambda: self.shell.backend.dispatcher().registry.get(SYNC), self._open_form, Keys.WAIT)

    def _open_form(self, found: Operation | Exception) -> None:
        if isinstance(found, Exception):
            self.shell.error(found)
        else:
            self.shell.navigator.form(found)
