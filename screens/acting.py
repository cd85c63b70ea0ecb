"""What the list of runs and the screen of one run have in common: the keys that act on a run."""

from __future__ import annotations

from screens.base import PolledView
from store.model.records import Run


class ActsOnRun(PolledView):
    """A screen with keys for the run that is painted on it, or painted under its cursor."""

    @property
    def painted_run(self) -> Run | None:
        """The run that a key acts on, in its painted state. None if there is none, or none yet."""
        raise NotImplementedError

    @property
    def is_watched(self) -> bool | None:
        """Whether the user watches that run. None: only the database knows."""
        return None

    def why_not(self, action: str, run: Run) -> str | None:
        """Why the action cannot be done to the run; None if it can, or if it is none of those below."""
        if action in ("retry", "edit_retry"):
            return self.shell.actions.why_no_retry(run)
        if action == "acknowledge":
            return self.shell.attending.why_no_acknowledgement(run)
        return self.shell.attending.why_no_watch(run) if action == "watch" else None

    def action_retry(self) -> None:
        if run := self.painted_run:
            self.shell.actions.retry(run)

    def action_edit_retry(self) -> None:
        if run := self.painted_run:
            self.shell.actions.edit_retry(run)

    def action_acknowledge(self) -> None:
        if run := self.painted_run:
            self.shell.attending.acknowledge(run)

    def action_watch(self) -> None:
        if run := self.painted_run:
            self.shell.attending.watch(run, self.is_watched)

    def copy_id(self, run_id: int) -> None:
        """Send the run's id to the terminal's clipboard."""
        self.app.copy_to_clipboard(str(run_id))
        self.shell.message(f"{run_id} sent to terminal")
