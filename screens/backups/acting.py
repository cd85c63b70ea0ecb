"""What one does with backup sets from their screens: make one, add to one, restore one, look at the run that writes to one."""

from __future__ import annotations

from typing import Final

from screens.background import Keys
from screens.base import PolledView
from screens.syncing import CanSync
from store.intune.backup_sets import BackupSet
from store.people.access import Right
from tasks.sdk.operation import Operation

_ADD: Final = "backup_set.add_policies"
_KINDS: Final = "kinds"


class ActsOnSets(CanSync):
    """A screen with keys for `action_sync` (make a set), `action_add`, `action_plan` (restore it) and `action_run`."""

    SYNC = "backup_set.create"
    SYNC_LABEL = "Back up policies"

    #: All kinds that can be backed up; empty as long as they are unknown.
    all_kinds: tuple[str, ...] = ()

    def chosen_set(self) -> BackupSet | None:
        """The set that keys act on; None if there is none."""
        raise NotImplementedError

    def show_kinds(self) -> None:
        """All kinds are known now."""

    # -- kinds ------------------------------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        self.in_background(lambda: self.shell.backend.dispatcher().registry.get(self.SYNC), self._know_kinds)

    def _know_kinds(self, found: Operation | Exception) -> None:
        # Where the operation cannot be had, sets are shown without what they might have had, too.
        if isinstance(found, Operation):
            self.all_kinds = next((one.choices for one in found.parameters if one.name == _KINDS), ())
            self.show_kinds()

    # -- keys -------------------------------------------------------------------------------------------------------------

    def disabled_reason(self, action: str) -> str | None:
        if action == "add":
            return self._why_no_more(self.chosen_set())
        if action == "plan":
            return self._why_no_plan(self.chosen_set())
        if action == "run":
            return _why_no_run(self.chosen_set())
        return super().disabled_reason(action)

    def _why_no_more(self, chosen: BackupSet | None) -> str | None:
        if chosen is None:
            return "There is no backup set here."
        if chosen.sealed_by:
            return f"Backup set {chosen.id} takes no more: {chosen.sealed_by} stands on it."
        if chosen.is_active:
            return f"Run {chosen.run_id} is still writing to backup set {chosen.id}."
        return self.why_no_sync()

    def action_add(self) -> None:
        """Open the form that adds policies to the set."""
        if chosen := self.chosen_set():
            get = self.shell.backend.dispatcher
            self.in_background(lambda: get().registry.get(_ADD), lambda one: self._open_add(one, chosen), Keys.WAIT)

    def _open_add(self, found: Operation | Exception, chosen: BackupSet) -> None:
        if isinstance(found, Exception):
            self.shell.error(found)
        else:
            self.shell.navigator.form(found, tenant=chosen.tenant, values={"backup_set": chosen.id})

    def _why_no_plan(self, chosen: BackupSet | None) -> str | None:
        if chosen is None:
            return "There is no backup set here."
        return why_no_plan(self, chosen)

    def action_plan(self) -> None:
        """Open the form that plans a restore of the set."""
        if chosen := self.chosen_set():
            self.shell.navigator.plan_restore(chosen)

    def action_run(self) -> None:
        """Show the run that wrote to the set last."""
        if (chosen := self.chosen_set()) and chosen.run_id:
            self.shell.navigator.run(chosen.run_id)


def why_no_plan(screen: PolledView, chosen: BackupSet) -> str | None:
    """Why the user cannot plan a restore of the set; None if they can."""
    if chosen.completed_at is None:
        return f"Backup set {chosen.id} is not finished."
    if screen.shell.actions.may_start_in(Right.RESTORE):
        return None
    return f"You may restore into no tenant: that wants the role {Right.RESTORE.role}."


def _why_no_run(chosen: BackupSet | None) -> str | None:
    if chosen is None:
        return "There is no backup set here."
    if chosen.run_id:
        return None
    why = "it was imported" if chosen.source == "import" else "its run was deleted"
    return f"Backup set {chosen.id} has no run: {why}."
