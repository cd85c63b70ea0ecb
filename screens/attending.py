"""Acknowledges runs that went wrong, and watches runs of colleagues: what may be done, and what is told about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from screens.notify.toasts import Toast
from screens.shell import Shell
from screens.text import format as fmt
from screens.text.safe import clean
from store.model.records import Outcome, Run, Status
from store.people.access import Right

if TYPE_CHECKING:
    from store.runs.acknowledging import Receipt

_WENT_WRONG: Final = (Outcome.FAILED, Outcome.PARTIALLY_SUCCEEDED)


class Attending:
    """Checks what the user may do, and does it. No method waits for the database: the work runs in threads."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    # -- acknowledging ----------------------------------------------------------------------------------------------------

    def why_no_acknowledgement(self, run: Run) -> str | None:
        """Why this user cannot acknowledge the run, or take that back, in its state as painted; None if they can."""
        if run.status is not Status.COMPLETED:
            return f"Run {run.id} is {fmt.label(run).lower()}: only what went wrong is acknowledged."
        if run.outcome not in _WENT_WRONG:
            return f"Run {run.id} {fmt.label(run).lower()}: only what went wrong is acknowledged."
        if run.tenant not in self._may_start_in():
            return f"You may look at {run.tenant}, not acknowledge its runs."
        return None

    def _may_start_in(self) -> set[str]:
        members = self._shell.snapshot.memberships if self._shell.snapshot else ()
        return {member.tenant.slug for member in members if member.may(Right.START)}

    def acknowledge(self, run: Run) -> None:
        """Ask for a note and acknowledge the run; if it is acknowledged, ask whether to take that back."""
        what = f"run {run.id}, {run.title} in {run.tenant}"
        if reason := self.why_no_acknowledgement(run):
            self._shell.message(reason, "warning")
        elif run.acknowledged_at is None:
            self.acknowledge_many([run.id], f"{what} ({fmt.state_of(run).word})")
        else:
            self._shell.ask(f"Take the acknowledgement of {what} back?", lambda: self._take_back(run.id))

    def acknowledge_many(self, run_ids: Sequence[int], what: str, done: Callable[[], None] = lambda: None) -> None:
        """Ask for a note and acknowledge the runs; `what` names them in the question. `done` is called once that is tried."""

        def then(receipts: tuple[Receipt, ...]) -> None:
            self._tell(told(receipts))
            done()

        self._shell.navigator.acknowledge(run_ids, f"Acknowledge {what}?", then)

    def _take_back(self, run_id: int) -> None:
        def then(receipts: tuple[Receipt, ...] | Exception) -> None:
            if isinstance(receipts, Exception):
                self._shell.error(receipts)
            else:
                self._tell(told(receipts, "no longer acknowledged"))

        attention = self._shell.backend.attention
        self._shell.background.run(lambda: attention.take_back([run_id]), then)

    def _tell(self, toast: Toast) -> None:
        self._shell.toast(toast)
        self._shell.poll_now()

    # -- watching ---------------------------------------------------------------------------------------------------------

    def why_no_watch(self, run: Run) -> str | None:
        """Why this user cannot watch the run, in its state as painted; None if they can."""
        if run.status is Status.COMPLETED:
            return f"Run {run.id} has ended: what is queued or runs can be watched."
        if run.user_id == self._shell.backend.user.id:
            return f"Run {run.id} is yours: you are told of its end anyway."
        return None

    def watch(self, run: Run, is_watched: bool | None = None) -> None:
        """Watch the run, or if it is watched, no longer. None: only the database knows whether it is."""
        if reason := self.why_no_watch(run):
            self._shell.message(reason, "warning")
            return
        attention = self._shell.backend.attention

        def work() -> bool:
            """Returns whether the run is watched now."""
            if is_watched is not True and (attention.watch(run.id) or is_watched is False):
                return True
            attention.unwatch(run.id)
            return False

        def then(result: bool | Exception) -> None:
            if isinstance(result, Exception):
                self._shell.error(result)
            elif result:
                self._tell(Toast(f"You watch run {run.id}: you will be told of its end."))
            else:
                self._tell(Toast(f"You no longer watch run {run.id}."))

        self._shell.background.run(work, then)


def told(receipts: Sequence[Receipt], done: str = "acknowledged") -> Toast:
    """What became of the runs in one toast: how many are `done`, and why the first of the others is not."""
    from store.runs.acknowledging import Verdict  # not before the first paint

    good = [one for one in receipts if one.verdict is Verdict.DONE]
    others = [one for one in receipts if one.verdict is not Verdict.DONE]
    lines = []
    if good:
        named = f"Run {good[0].run_id}" if len(good) == 1 else f"{len(good):,} runs"
        lines.append(f"{named} {done}.")
    if others:
        words = clean(others[0].words)
        more = f" {len(others) - 1:,} more are not, either." if len(others) > 1 else ""
        lines.append(f"{words[:1].upper()}{words[1:]}.{more}")
    return Toast("\n".join(lines), severity="warning" if others else "information")
