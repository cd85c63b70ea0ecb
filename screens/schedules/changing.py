"""What keys do to a tenant's schedules: run one now, add, edit, switch and remove. Each checks the right, and asks once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from screens.background import Keys
from screens.base import PolledView
from store.intune.schedule_records import Schedule
from store.people.access import Right
from store.runs import ticking

if TYPE_CHECKING:
    from tasks.sdk.operation import Operation

#: The operation whose `kinds` are those that a schedule can name.
_BACKS_UP: Final = "backup_set.create"
#: Characters of a name in a question, so that the rest of it stays visible.
_NAME: Final = 30
_NEEDS_ONE: Final = frozenset({"run_now", "edit", "switch", "remove"})


class ChangesSchedules(PolledView):
    """A screen of one tenant's schedules, one of which is under the cursor."""

    #: The tenant's slug; "" as long as it is unknown.
    tenant = ""

    @property
    def schedules(self) -> tuple[Schedule, ...]:
        """The schedules as they were read last."""
        raise NotImplementedError

    @property
    def chosen(self) -> Schedule | None:
        """The schedule that a key means; None if there is none."""
        raise NotImplementedError

    # -- rights -----------------------------------------------------------------------------------------------------------

    def disabled_reason(self, action: str) -> str | None:
        if action == "run_now":
            return self._why_not(Right.START, "start runs") or self._why_none()
        if action in _NEEDS_ONE:
            return self.why_no_change() or self._why_none()
        return self.why_no_change() if action == "add" else None

    def why_no_change(self) -> str | None:
        """Why the user cannot change the tenant's schedules; None if they can."""
        return self._why_not(Right.RESTORE, "change its schedules")

    def _why_not(self, right: Right, what: str) -> str | None:
        if self.shell.snapshot is None:
            return "The database has not answered yet."
        if self.tenant in {member.tenant.slug for member in self.shell.actions.may_start_in(right)}:
            return None
        return f"You may look at {self.tenant}, not {what}: that wants the role {right.role}."

    def _why_none(self) -> str | None:
        return None if self.chosen else f"No schedule is under the cursor. {self.how_to_add}"

    @property
    def how_to_add(self) -> str:
        """What to press, or whom to ask, where there is no schedule."""
        return f"Somebody with the role {Right.RESTORE.role} can add one." if self.why_no_change() else "a adds one."

    # -- keys -------------------------------------------------------------------------------------------------------------

    def action_run_now(self) -> None:
        if one := self.chosen:
            values = {ticking.PARAMETER: one.id}
            start = self.shell.actions.start
            self.shell.ask(f"Run {_name(one)} now?", lambda: start(one.tenant, ticking.TYPE, values))

    def action_add(self) -> None:
        self._open_form(None)

    def action_edit(self) -> None:
        if one := self.chosen:
            self._open_form(one)

    def action_switch(self) -> None:
        if one := self.chosen:
            is_on = not one.settings.enabled
            done = f"The schedule {one.settings.name} is {'on' if is_on else 'off'}."
            edit = self.shell.backend.schedules.edit
            question = f"Switch {'on' if is_on else 'off'} {_name(one)}?"
            self._change(question, lambda: edit(one.id, {"enabled": is_on}), done)

    def action_remove(self) -> None:
        if one := self.chosen:
            remove = self.shell.backend.schedules.remove
            question = f"Remove {_name(one)}? Its backups stay."
            self._change(question, lambda: remove(one.id), f"The schedule {one.settings.name} was removed.")

    def _change(self, question: str, work: Callable[[], Schedule], done: str) -> None:
        shell = self.shell

        def then(result: Schedule | Exception) -> None:
            if isinstance(result, Exception):
                shell.error(result)
            else:
                shell.message(done)
            shell.poll_now()

        shell.ask(question, lambda: shell.background.run(work, then))

    # -- the form ---------------------------------------------------------------------------------------------------------

    def _open_form(self, schedule: Schedule | None) -> None:
        """Open the form, once it is known which kinds there are."""
        zones = Counter(one.settings.zone for one in self.schedules).most_common(1)
        tenant, dispatcher = self.tenant, self.shell.backend.dispatcher

        def then(found: Operation | Exception) -> None:
            if isinstance(found, Exception):
                self.shell.error(found)
                return
            kinds = next((one.choices for one in found.parameters if one.name == "kinds"), ())
            self.shell.navigator.schedule_form(tenant, kinds, schedule, zones[0][0] if zones else "UTC")

        self.in_background(lambda: dispatcher().registry.get(_BACKS_UP), then, Keys.ARE_FOR_IT)


def _name(schedule: Schedule) -> str:
    name = schedule.settings.name
    return f"{name if len(name) <= _NAME else f'{name[: _NAME - 1]}…'} of {schedule.tenant}"
