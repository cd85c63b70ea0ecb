"""What keys trigger: starts, retries of one run or of many, pausing the queue, and the messages about their results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from screens.background import Keys
from screens.bulk_retry import BulkRetry, kept
from screens.notify import toasts
from screens.shell import Shell
from screens.text import format as fmt
from store.model.records import Run, Status
from store.people.access import Membership, Right
from store.search.filter import RunFilter
from store.search.matching import Matching

if TYPE_CHECKING:
    from store.runs.restoring import Confirmation
    from tasks.dispatch import Dispatcher, Started
    from tasks.sdk.operation import Operation

#: Number of bulk retries that stay available for review.
JOBS_KEPT: Final = 10
#: Maximum characters of an operation's name in a question, so that the rest of the question stays visible.
TITLE: Final = 40
#: Maximum number of runs in one bulk retry.
BULK: Final = 10_000


class RunActions:
    """Checks what the user may do, and does it. No method waits for the database: the work runs in threads."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        #: Bulk retries of this session, the newest last.
        self.jobs: list[BulkRetry] = []
        #: For each undecided notification id: the jobs that had a retry in flight when it was first seen, with that retry's number.
        self._asked: dict[int, list[tuple[BulkRetry, int]]] = {}

    # -- rights -----------------------------------------------------------------------------------------------------------

    def may_start_in(self, right: Right = Right.START) -> tuple[Membership, ...]:
        """The tenants in which the user has this right; by default, the right to start runs."""
        members = self._shell.snapshot.memberships if self._shell.snapshot else ()
        return tuple(member for member in members if member.may(right))

    def why_no_start(self) -> str | None:
        """Why this user cannot start any run; None if they can."""
        if self.may_start_in():
            return None
        return (
            "You may not start runs in any tenant: ask an owner."
            if self._shell.snapshot
            else "The database has not answered yet."
        )

    def why_no_retry(self, run: Run) -> str | None:
        """Why this user cannot retry the run, in its state as painted; None if they can."""
        if run.held:
            return f"Run {run.id} is a preview: only its restore can be executed."
        if run.status is not Status.COMPLETED:
            return f"Run {run.id} is {run.status}: only a completed run can be retried."
        if run.tenant not in {member.tenant.slug for member in self.may_start_in()}:
            return f"You may look at {run.tenant}, not start or retry runs there."
        if run.restore_id is not None:
            number = run.restore_id
            return f"Run {run.id} belongs to restore {number}: 'opsmon restore show {number}' says how to go on."
        return None

    # -- one tenant -------------------------------------------------------------------------------------------------------

    def in_one_tenant(self, what: str, show: Callable[[str], None]) -> None:
        """Call `show` with the chosen tenant's slug, or with that of the user's only one; of several, let the user choose
        first. `what` is the question's beginning, such as `Inventory of`.
        """
        shell = self._shell
        slugs = [member.tenant.slug for member in shell.snapshot.memberships] if shell.snapshot else []
        if tenant := shell.tenant or (slugs[0] if len(slugs) == 1 else None):
            show(tenant)
        elif slugs:
            shell.navigator.one_tenant(what, show)
        else:
            shell.message(
                "You are a member of no tenant." if shell.snapshot else "The database has not answered yet.", "warning"
            )

    # -- one run ----------------------------------------------------------------------------------------------------------

    def start(self, tenant: str, type_: str, values: dict[str, Any]) -> None:
        """Start an operation with these parameters in the tenant."""
        user = self._shell.backend.user
        self._dispatch(lambda dispatcher: dispatcher.start(user, tenant, type_, values))

    def retry_with(self, run: Run, values: dict[str, Any]) -> None:
        """Retry the run with other parameters. The dispatcher refuses if the run changed since it was shown."""
        user = self._shell.backend.user
        self._dispatch(lambda dispatcher: dispatcher.retry(user, run.id, values, seen=run))

    def _dispatch(self, work: Callable[[Dispatcher], Started]) -> None:
        """Show the receipt as a toast. No screen opens: the next keys are meant for the screen already there."""

        def then(result: Started | Exception) -> None:
            if isinstance(result, Exception):
                self._shell.error(result)
            elif toast := toasts.of_receipt(result):
                self._shell.toast(toast)
            self._shell.poll_now()

        self._shell.background.run(lambda: work(self._shell.backend.dispatcher()), then)

    def preview_restore(self, restore_id: int) -> None:
        """Start the preview of a restore. The dispatcher checks the rights again."""
        user = self._shell.backend.user
        self._dispatch(lambda dispatcher: dispatcher.preview_restore(user, restore_id))

    def continue_restore(self, restore_id: int) -> None:
        """Go on with a restore that waits for approval. The dispatcher checks the rights again."""
        user = self._shell.backend.user
        self._dispatch(lambda dispatcher: dispatcher.continue_restore(user, restore_id))

    def execute_restore(
        self, restore_id: int, confirmed: Confirmation, ended: Callable[[Started | Exception], None]
    ) -> None:
        """Execute a previewed restore, if its preview is not too old. `ended` gets the receipt, or why it was refused. The
        dispatcher checks the rights again.
        """
        shell, user = self._shell, self._shell.backend.user

        def work() -> Started:
            dispatcher = shell.backend.dispatcher()
            return dispatcher.execute_restore(user, restore_id, confirmed, shell.backend.preview_seconds)

        def then(result: Started | Exception) -> None:
            if not isinstance(result, Exception) and (toast := toasts.of_receipt(result)):
                shell.toast(toast)
            shell.poll_now()
            ended(result)

        shell.background.run(work, then, Keys.WAIT)

    def retry(self, run: Run) -> None:
        """Retry the run after confirmation. The dispatcher checks the rights again, and refuses if the run changed
        since it was painted.
        """
        if reason := self.why_no_retry(run):
            self._shell.message(reason, "warning")
            return
        user = self._shell.backend.user
        whose = "" if run.user_id == user.id else f", by {run.initiator_name}"
        title = run.title if len(run.title) <= TITLE else f"{run.title[: TITLE - 1]}…"
        question = f"Retry run {run.id}, {title} in {run.tenant} ({fmt.state_of(run).word}{whose})?"
        self._shell.ask(question, lambda: self._dispatch(lambda dispatcher: dispatcher.retry(user, run.id, seen=run)))

    def edit_retry(self, run: Run) -> None:
        """Show the form with the run's parameters, to retry it with changed ones."""
        if reason := self.why_no_retry(run):
            self._shell.message(reason, "warning")
            return

        def then(found: tuple[Operation, Run] | Exception) -> None:
            if isinstance(found, Exception):
                self._shell.error(found)
            else:
                self._shell.navigator.form(*found)

        backend = self._shell.backend
        self._shell.background.run(lambda: backend.dispatcher().to_retry(backend.user, run.id), then, Keys.ARE_FOR_IT)

    # -- many runs --------------------------------------------------------------------------------------------------------

    def retry_matching(self, wanted: RunFilter, tab: str, words: str) -> None:
        """Find all runs that match the filter, then show the dry run of their retry."""
        where = f" in {wanted.within}" if wanted.within else ""

        def then(found: Matching | Exception) -> None:
            if isinstance(found, Exception):
                self._shell.error(found)
            elif not found.ids:
                self._shell.message(f"No run{where} matches: {words}.", "warning")
            else:
                many = f"the newest {len(found.ids):,}" if found.more else f"all {len(found.ids):,}"
                self.bulk_retry(found.ids, f"{many}{where} that match {words}")

        matching = self._shell.backend.matching
        self._shell.background.run(lambda: matching(wanted, tab, BULK), then, Keys.ARE_FOR_IT)

    def bulk_retry(self, run_ids: Sequence[int], words: str) -> None:
        """Start a dry run for these runs, and show it. `words` describe the selection."""
        shell = self._shell
        job = BulkRetry(shell.backend, run_ids, words, lambda job: shell.call_soon(lambda: self._ended(job)))
        self.jobs = kept([*self.jobs, job], JOBS_KEPT)
        job.rehearse()
        shell.navigator.bulk(job)

    def _ended(self, job: BulkRetry) -> None:
        if not self._shell.navigator.is_showing(job):
            self._shell.toast(toasts.Toast(f"The retry of {job.words} is {job.phase}.\nb: receipts", "Bulk retry"))
        self._shell.poll_now()

    def why_no_bulk(self) -> str | None:
        """Why no bulk retry can start now; None if one can. Only one runs at a time, to spare the queue."""
        active = next((job for job in self.jobs if job.is_active), None)
        return f"The retry of {active.words} is under way: wait for it, or stop it." if active else None

    def in_bulk(self, run_id: int) -> bool:
        """Whether a bulk retry of this session started the run."""
        return any(run_id in job.started for job in self.jobs)

    def may_be_in_bulk(self, notification_id: int) -> bool:
        """Whether the notification may belong to a run whose receipt a bulk retry still waits for.

        The run is in the database before the job has its receipt. The retries in flight are recorded at the first call
        for a notification, and it stays undecided until they all have receipts.
        """
        first = self._asked.pop(notification_id, None) or [(job, job.begun) for job in self.jobs]
        if under_way := [(job, begun) for job, begun in first if job.is_active and job.known < begun]:
            self._asked[notification_id] = under_way
        return bool(under_way)

    def show_newest_job(self) -> None:
        """Show the most recent bulk retry, or explain how to start one."""
        if not self.jobs:
            self._shell.message(
                "No bulk retry yet: mark runs with space and press r, or A for all that match.", "warning"
            )
        elif not self._shell.navigator.is_on_bulk():
            self._shell.navigator.bulk(self.jobs[-1])

    # -- the queue --------------------------------------------------------------------------------------------------------

    def why_no_pause(self) -> str | None:
        """Why this user cannot pause or resume the queue; None if they can."""
        if self._shell.snapshot is None:
            return "The database has not answered yet."
        if not any(member.may(Right.ADMINISTER) for member in self._shell.snapshot.memberships):
            return "Only an owner of a tenant may pause or resume the queue."
        return None

    def set_queue_paused(self, paused: bool) -> None:
        """Pause or resume the queue of all tenants, after confirmation."""
        shell = self._shell

        def then(is_new: bool | Exception) -> None:
            if isinstance(is_new, Exception):
                shell.error(is_new)
            else:
                done = "paused" if paused else "resumed"
                shell.message(f"The queue is {done}." if is_new else f"The queue was {done} already.")
            shell.poll_now()

        question = (
            "Pause the queue of all tenants? Workers start nothing more."
            if paused
            else "Resume the queue of all tenants?"
        )
        shell.ask(question, lambda: shell.background.run(lambda: shell.backend.set_queue_paused(paused), then))
