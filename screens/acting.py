"""From keys to the dispatcher: starts, retries of one run or of many, and what comes of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from screens import format as fmt
from screens import toasts
from screens.bulk_job import BulkRetry, kept
from screens.live import Keys
from store.access import Membership, Right
from store.filters import RunFilter
from store.queries import Matching
from store.records import Run, Status

if TYPE_CHECKING:
    from screens.monitor import Monitor
    from tasks.dispatch import Dispatcher, Started
    from tasks.registry import Operation

#: So many bulk retries can be looked at again.
JOBS_KEPT: Final = 10
#: So many characters of an operation's name stand in a question: what follows it must be seen, too.
TITLE: Final = 40
#: So many runs are retried at once at most.
BULK: Final = 10_000


class Acting:
    """What a user may do, and does. Nothing here waits for the database: threads do, and tell."""

    def __init__(self, monitor: Monitor) -> None:
        self._monitor = monitor
        #: The newest last.
        self.jobs: list[BulkRetry] = []
        #: By notification that is not decided yet: the jobs with a retry under way when it was first seen, and which that was.
        self._asked: dict[int, list[tuple[BulkRetry, int]]] = {}

    # -- rights -----------------------------------------------------------------------------------------------------------

    def may_start_in(self) -> tuple[Membership, ...]:
        """The tenants in which the user may start runs."""
        members = self._monitor.snapshot.memberships if self._monitor.snapshot else ()
        return tuple(member for member in members if member.may(Right.START))

    def why_no_retry(self, run: Run) -> str | None:
        """Why this run, as it was painted, cannot be retried by this user; None when it can."""
        if run.status is not Status.COMPLETED:
            return f"Run {run.id} is {run.status}: only a completed run can be retried."
        if run.tenant not in {member.tenant.slug for member in self.may_start_in()}:
            return f"You may look at {run.tenant}, not start or retry runs there."
        return None

    # -- one run ----------------------------------------------------------------------------------------------------------

    def dispatch(self, work: Callable[[Dispatcher], Started]) -> None:
        """Start something; the receipt comes as a toast. No screen opens then: keys are meant for what is there already."""

        def then(result: Started | Exception) -> None:
            if isinstance(result, Exception):
                self._monitor.say_error(result)
            else:
                self._monitor.tell(toasts.of_receipt(result))
            self._monitor.poke()

        self._monitor.in_background(lambda: work(self._monitor.backend.dispatcher()), then)

    def retry(self, run: Run) -> None:
        """Retry the run as it was painted, after a question; the dispatcher asks once more and refuses what has changed."""
        if reason := self.why_no_retry(run):
            self._monitor.say(reason, "warning")
            return
        user = self._monitor.backend.user
        whose = "" if run.user_id == user.id else f", by {run.initiator_name}"
        title = run.title if len(run.title) <= TITLE else f"{run.title[: TITLE - 1]}…"
        question = f"Retry run {run.id}, {title} in {run.tenant} ({fmt.state_of(run).word}{whose})?"
        self._monitor.ask(question, lambda: self.dispatch(lambda dispatcher: dispatcher.retry(user, run.id, seen=run)))

    def edit_retry(self, run: Run) -> None:
        """Show the form of the run's operation with its parameters, to retry it with others."""
        if reason := self.why_no_retry(run):
            self._monitor.say(reason, "warning")
            return

        def then(found: tuple[Operation, Run] | Exception) -> None:
            if isinstance(found, Exception):
                self._monitor.say_error(found)
            else:
                from screens.form import FormScreen

                self._monitor.push_screen(FormScreen(found[0], retry_of=found[1]))

        backend = self._monitor.backend
        self._monitor.in_background(lambda: backend.dispatcher().to_retry(backend.user, run.id), then, Keys.ARE_FOR_IT)

    # -- many runs --------------------------------------------------------------------------------------------------------

    def retry_matching(self, wanted: RunFilter, tab: str, words: str) -> None:
        """Find all runs that match, and go on to the dry run of their retry."""
        where = f" in {wanted.within}" if wanted.within else ""

        def then(found: Matching | Exception) -> None:
            if isinstance(found, Exception):
                self._monitor.say_error(found)
            elif not found.ids:
                self._monitor.say(f"No run{where} matches: {words}.", "warning")
            else:
                many = f"the newest {len(found.ids):,}" if found.more else f"all {len(found.ids):,}"
                self._monitor.bulk_retry(found.ids, f"{many}{where} that match {words}")

        matching = self._monitor.backend.matching
        self._monitor.in_background(lambda: matching(wanted, tab, BULK), then, Keys.ARE_FOR_IT)

    def bulk_retry(self, run_ids: Sequence[int], words: str) -> None:
        """Make a dry run of the retry of these runs, and show it."""
        monitor = self._monitor
        job = BulkRetry(monitor.backend, run_ids, words, lambda job: monitor.soon(lambda: self._ended(job)))
        self.jobs = kept([*self.jobs, job], JOBS_KEPT)
        job.rehearse()
        self._show(job)

    def _show(self, job: BulkRetry) -> None:
        from screens.bulk import BulkScreen

        self._monitor.push_screen(BulkScreen(job))

    def _ended(self, job: BulkRetry) -> None:
        from screens.bulk import BulkScreen

        screen = self._monitor.screen
        if not (isinstance(screen, BulkScreen) and screen.job is job):
            self._monitor.say(f"The retry of {job.words} is {job.phase}.\nb: receipts", title="Bulk retry")
        self._monitor.poke()

    def why_no_bulk(self) -> str | None:
        """Why no bulk retry can be started now: one at a time is enough for the queue."""
        active = next((job for job in self.jobs if job.is_active), None)
        return f"The retry of {active.words} is under way: wait for it, or stop it." if active else None

    def in_bulk(self, run_id: int) -> bool:
        """Whether a bulk retry of this session has started the run."""
        return any(run_id in job.started for job in self.jobs)

    def may_be_in_bulk(self, notification_id: int) -> bool:
        """Whether the notification may be about the run of a retry that was under way when this was first asked of it.

        The database has such a run before the job has its receipt.
        """
        first = self._asked.pop(notification_id, None) or [(job, job.begun) for job in self.jobs]
        if under_way := [(job, begun) for job, begun in first if job.is_active and job.known < begun]:
            self._asked[notification_id] = under_way
        return bool(under_way)

    def show_newest_job(self) -> None:
        """Show the bulk retry of before."""
        from screens.bulk import BulkScreen

        if not self.jobs:
            self._monitor.say(
                "No bulk retry yet: mark runs with space and press r, or A for all that match.", "warning"
            )
        elif not isinstance(self._monitor.screen, BulkScreen):
            self._show(self.jobs[-1])
