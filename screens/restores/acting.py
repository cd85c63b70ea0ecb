"""What one does with restores from their screens: preview, leave out, choose, discard, undo, go on. confirm.py executes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from screens.background import Keys
from screens.base import PolledView
from screens.restores import refusals
from screens.text import format as fmt
from store.intune.restore_numbers import BLOCKING
from store.intune.restore_page import ListedRestore, ListedRestoreItem
from store.intune.restore_records import Restore, RestoreState
from store.people.access import Right

#: Characters of a name in a question, so that the rest of it stays visible.
_NAME: Final = 40


class ChangesRestores(PolledView):
    """A screen that changes restores, for those who may restore into their tenants."""

    def why_no_right(self, tenant: str) -> str | None:
        """Why the user may not restore into the tenant; None if they may."""
        if tenant in {member.tenant.slug for member in self.shell.actions.may_start_in(Right.RESTORE)}:
            return None
        return f"You may look at {tenant}, not restore into it: that wants the role {Right.RESTORE.role}."

    def do(self, work: Callable[[], Restore], done: str) -> None:
        """Change something in the background, then tell `done` or what went wrong, and show how it is now."""
        shell = self.shell

        def then(result: Restore | Exception) -> None:
            if isinstance(result, Exception):
                shell.error(result)
            else:
                shell.message(done)
            shell.poll_now()

        shell.background.run(work, then)


class ActsOnRestores(ChangesRestores):
    """A screen with keys that act on a restore, and maybe on one of its items. Each key asks once."""

    def chosen_restore(self) -> ListedRestore | None:
        """The restore that keys act on; None if there is none."""
        raise NotImplementedError

    def chosen_item(self) -> ListedRestoreItem | None:
        """The item that keys act on; None if there is none."""
        return None

    # -- rights -----------------------------------------------------------------------------------------------------------

    def disabled_reason(self, action: str) -> str | None:
        found = self.chosen_restore()
        if found and action in refusals.CHANGES and (reason := self.why_no_right(found.restore.tenant)):
            return reason
        return refusals.why_not(action, found, self.chosen_item())

    # -- keys -------------------------------------------------------------------------------------------------------------

    def action_run(self) -> None:
        """Show the run that previews the restore or carries it out."""
        if (found := self.chosen_restore()) and (run_id := refusals.run_of(found)):
            self.shell.navigator.run(run_id)

    def action_groups(self) -> None:
        """Show which groups of the tenant stand for those of the backup."""
        if found := self.chosen_restore():
            self.shell.navigator.restore_mapping(found.restore.id)

    def action_preview(self) -> None:
        """Have a worker preview the restore; a preview that is there is given up."""
        if found := self.chosen_restore():
            restore, start = found.restore, self.shell.actions.preview_restore
            question = f"Preview restore {restore.id} into {restore.tenant}? It writes nothing there."
            self.shell.ask(question, lambda: start(restore.id))

    def action_edit(self) -> None:
        """Show the form that changes its scope and mode."""
        if found := self.chosen_restore():
            self.shell.navigator.change_restore(found.restore)

    def action_execute(self) -> None:
        """Show its impact, to execute it."""
        if found := self.chosen_restore():
            self.shell.navigator.execute_restore(found.restore.id)

    def action_go_on(self) -> None:
        """Go on with what waited for approval."""
        if found := self.chosen_restore():
            restore, start = found.restore, self.shell.actions.continue_restore
            question = f"Go on with restore {restore.id}? It writes to {restore.tenant} what is approved."
            self.shell.ask(question, lambda: start(restore.id))

    def action_discard(self) -> None:
        """Give up the preview."""
        if found := self.chosen_restore():
            id_, discard = found.restore.id, self.shell.backend.restores.discard
            question = f"Discard the preview of restore {id_}? Another one can be made."
            self._change(question, lambda: discard(id_), f"The preview of restore {id_} was discarded.")

    def action_undo(self) -> None:
        """Plan a restore of what this one has overwritten, and show it."""
        found = self.chosen_restore()
        if found and found.restore.undo_set_id is not None:
            restore, set_id, undo = found.restore, found.restore.undo_set_id, self.shell.backend.restores.undo
            question = f"Plan a restore of what restore {restore.id} overwrote in {restore.tenant} (set {set_id})?"
            self.shell.ask(question, lambda: self.in_background(lambda: undo(restore.id), self._planned, Keys.WAIT))

    def _planned(self, result: Restore | Exception) -> None:
        if isinstance(result, Exception):
            self.shell.error(result)
        else:
            self.shell.navigator.restore(result.id)

    # -- items ------------------------------------------------------------------------------------------------------------

    def action_skip(self) -> None:
        """Leave the item out; one that is left out is taken in again."""
        found, item = self.chosen_restore(), self.chosen_item()
        if found and item:
            choice = {} if item.is_skipped else {"skip": True}
            id_, choose = found.restore.id, self.shell.backend.restores.choose
            done = f"{_name(item)} is {'taken in again' if item.is_skipped else 'left out'}."
            self._change(_asks(found, item), lambda: choose(id_, {item.id: choice}), done)

    def action_skip_blocked(self) -> None:
        """Leave out everything that is blocked or ambiguous, shown or not."""
        if found := self.chosen_restore():
            id_, leave_out = found.restore.id, self.shell.backend.restores.leave_out_blocked
            many = fmt.several(found.numbers.blocked, "object")
            question = f"Leave out {many} of restore {id_}, all that are blocked or ambiguous?"
            self._change(question, lambda: leave_out(id_), f"{many} left out.")

    def action_choose(self) -> None:
        """Let the user choose which object of the target an ambiguous item is. Another preview is needed then."""
        found, item = self.chosen_restore(), self.chosen_item()
        if found and item:
            id_ = found.restore.id
            self.shell.navigator.restore_candidates(id_, item.id, lambda chosen: self._chosen(id_, item, chosen))

    def _chosen(self, restore_id: int, item: ListedRestoreItem, target_id: str) -> None:
        choose = self.shell.backend.restores.choose
        done = f"{_name(item)} is decided: p previews the restore again."
        self.do(lambda: choose(restore_id, {item.id: {"target_id": target_id}}), done)

    # -- parts ------------------------------------------------------------------------------------------------------------

    def _change(self, question: str, work: Callable[[], Restore], done: str) -> None:
        self.shell.ask(question, lambda: self.do(work, done))


def _asks(found: ListedRestore, item: ListedRestoreItem) -> str:
    """The question before an item is left out or taken in."""
    what = f"Take {_name(item)} in again?" if item.is_skipped else f"Leave {_name(item)} out?"
    keeps = item.action in BLOCKING  # unless another refers to it
    has_preview = item.action is not None and found.restore.status is not RestoreState.CHECKED
    return f"{what} Another preview is needed then." if has_preview and not keeps else what


def _name(item: ListedRestoreItem) -> str:
    name = item.name or "(without a name)"
    return name if len(name) <= _NAME else f"{name[: _NAME - 1]}…"
