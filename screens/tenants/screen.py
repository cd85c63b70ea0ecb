"""One tenant: its settings, its members and their roles, and whether its credentials can be used."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual.binding import Binding, BindingType

from screens.backend import CredentialsState
from screens.base import LinesScreen
from screens.tenants import words
from store.intune.tenant_page import TenantDetail, TenantWanted
from store.people.access import Right
from store.snapshot import Request, Snapshot


class TenantScreen(LinesScreen[None]):
    """What is wrong with the credentials is looked up once, in the background: it reads files and may run commands."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "group", "RBAC group", id="rbac_group"),
        Binding("x", "forget", "No group", id="forget_group"),
    ]

    def __init__(self, tenant: str) -> None:
        super().__init__()
        self.tenant = tenant
        self._health: CredentialsState | None = None
        self._found: TenantDetail | None = None

    @property
    def place(self) -> str:
        return f"{self.tenant}, settings"

    def on_mount(self) -> None:
        super().on_mount()
        tenants, slug = self.shell.backend.tenants, self.tenant
        self.in_background(lambda: tenants.credentials(slug), self._looked_up)

    def _looked_up(self, found: CredentialsState | Exception) -> None:
        self._health = CredentialsState(str(found), is_bad=True) if isinstance(found, Exception) else found
        self.show_again()

    def contribute(self, request: Request) -> Request:
        return replace(request, tenant=TenantWanted(self.tenant))

    def on_snapshot(self, snapshot: Snapshot) -> None:
        if snapshot.request.tenant != TenantWanted(self.tenant):
            return
        self._found = snapshot.tenant
        if self._found is None:
            self.say(f"There is no tenant {self.tenant}.")
        else:
            width = max(20, self.size.width - 3)
            self.page.show(list(words.lines(self._found, self._health, snapshot.at, width, self.shell.times)))
        self.refresh_keys()

    def disabled_reason(self, action: str) -> str | None:
        if action == "forget" and (self._found is None or self._found.rbac_group is None):
            return "No group is chosen."
        return self._why_no_change() if action in ("group", "forget") else None

    def _why_no_change(self) -> str | None:
        if self.shell.snapshot is None:
            return "The database has not answered yet."
        if self.tenant in {member.tenant.slug for member in self.shell.actions.may_start_in(Right.ADMINISTER)}:
            return None
        return f"You may look at {self.tenant}, not choose its group: that wants the role {Right.ADMINISTER.role}."

    def action_group(self) -> None:
        self.shell.navigator.group_search(self.tenant)

    def action_forget(self) -> None:
        shell, slug = self.shell, self.tenant

        def then(result: bool | Exception) -> None:
            if isinstance(result, Exception):
                shell.error(result)
            else:
                shell.message(f"{slug} has no RBAC group any more.")
            shell.poll_now()

        shell.ask(
            f"Forget the RBAC group of {slug}?",
            lambda: shell.background.run(lambda: shell.backend.tenants.forget_group(slug), then),
        )
