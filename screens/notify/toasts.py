"""Toasts as pure functions of what happened, and a record of the notifications already announced."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from rich.cells import cell_len

from screens.text.safe import clean, fit
from store.errors import OpsmonError
from store.model.records import Notification, Outcome, Run, Status
from store.runs.detail import QueuePosition
from store.snapshot import Snapshot

if TYPE_CHECKING:
    from tasks.dispatch import Started

Severity = Literal["information", "warning", "error"]

#: Maximum number of toasts at once; the rest is only counted. The inbox lists all.
AT_ONCE: Final = 4
#: Seconds for which a toast stays; one that tells of an error stays longer, for who looks elsewhere.
SECONDS: Final = 4.0
ERROR_SECONDS: Final = 8.0
#: The most cells of a toast's line.
WIDTH: Final = 110
#: Toasts stand at the right end of the footer, a line each where it suffices: they hide keys, and no row. A question at the
#: bottom stays free.
STYLE: Final = """
ToastRack { margin-bottom: 0; overflow: hidden; }
ConfirmModal ToastRack { margin-bottom: 1; }
AcknowledgeModal ToastRack { margin-bottom: 2; }
Toast { width: auto; max-width: 100%; margin: 0; padding: 0 1; background: $panel; color: $text; }
Toast.-information { border-left: outer $done; }
Toast.-warning { border-left: outer $warn; }
Toast.-error { border-left: outer $failed; }
"""


@dataclass(frozen=True, slots=True)
class Toast:
    """A toast: `text`, `title`, `severity`. The key `v` opens the run `run_id`, until a newer toast names another."""

    text: str
    title: str = ""
    severity: Severity = "information"
    run_id: int | None = None


def in_one_line(toast: Toast, width: int) -> str:
    """Title, words and key of the toast in one line of at most `width` cells, cut before the key if need be.

    What has more lines keeps them, below its title; what has neither title nor key stays as it is.
    """
    words, _, key = toast.text.partition("\n")
    if "\n" in key:
        return "\n".join(filter(None, (toast.title, toast.text)))
    if not (toast.title or key):
        return toast.text
    told = f"{toast.title} · {words}" if toast.title else words
    end = f"  {key}" if key else ""
    room = max(10, min(WIDTH, width - 3) - cell_len(end))
    return f"{told if cell_len(clean(told)) <= room else fit(told, room)}{end}"


def of_notification(note: Notification) -> Toast:
    """The toast for one notification: a warning if its run did not succeed."""
    wrong = note.kind == "completed" and note.outcome is not Outcome.SUCCEEDED
    severity: Severity = "warning" if wrong else "information"
    return Toast(f"{clean(note.body)}\nv: view run {note.run_id}", note.title, severity, note.run_id)


class SeenNotifications:
    """Which notifications this process has announced. Those from before its start are not news."""

    def __init__(self) -> None:
        self._ids: set[int] | None = None
        #: The new notifications of the last call, oldest first.
        self.newest: tuple[Notification, ...] = ()

    def news(
        self,
        recent: Sequence[Notification],
        in_bulk: Callable[[int], bool] = lambda run_id: False,
        may_be_in_bulk: Callable[[int], bool] = lambda notification_id: False,
        told_as: Callable[[Notification], Toast | None] = of_notification,
    ) -> list[Toast]:
        """Toasts for the notifications not announced yet, oldest first; `recent` is newest first.

        Announced ids are remembered one by one, because ids become visible out of order. Runs of a bulk retry
        (`in_bulk`, by run id) get one common toast when they end: their receipts already say that they are queued, and
        thousands of toasts would be useless and slow. A notification that `may_be_in_bulk` (by notification id) is
        decided at the next call. `told_as` makes the toast of one notification, or None.
        """
        known = self._ids or set()
        undecided = {note.id for note in recent if note.id not in known and may_be_in_bulk(note.id)}
        recent = [notification for notification in recent if notification.id not in undecided]
        ids = {notification.id for notification in recent}
        announced, self._ids = self._ids, ids | (self._ids or set())
        new = [] if announced is None else [notification for notification in recent if notification.id not in announced]
        ended = [
            notification for notification in new if in_bulk(notification.run_id) and notification.kind == "completed"
        ]
        new = [notification for notification in new if not in_bulk(notification.run_id)]
        self.newest = tuple(reversed(new))
        toasts = of_several(new, told_as)
        return [*toasts, of_many(ended)] if ended else toasts


def of_several(
    new: Sequence[Notification], told_as: Callable[[Notification], Toast | None] = of_notification
) -> list[Toast]:
    """Toasts for notifications, oldest first; `new` is newest first. Of more than AT_ONCE, the oldest are only counted."""
    toasts = [toast for note in reversed(new[:AT_ONCE]) if (toast := told_as(note))]
    more = len(new) - AT_ONCE
    return [Toast(f"{more} more notifications.\nn: inbox"), *toasts] if more > 0 else toasts


def as_it_stands(note: Notification, snapshot: Snapshot) -> Toast | None:
    """The toast for one notification, true at the snapshot's instant: what was queued may run by now.

    None for one that is queued no longer and has ended: its end is told by its own notification.
    """
    detail = snapshot.detail if snapshot.detail and snapshot.detail.run.id == note.run_id else None
    run = detail.run if detail else next((run for run in snapshot.runs if run.id == note.run_id), None)
    if note.kind != "queued" or run is None or run.held:
        return of_notification(note)
    if run.status is Status.COMPLETED:
        return None
    key = f"v: view run {run.id}"
    if run.status is Status.RUNNING:
        return Toast(f"{clean(run.tenant)}: a worker has it.\n{key}", f"{clean(run.title)} runs", run_id=run.id)
    words = _of_queue(run, snapshot, detail.waiting if detail else None)
    return Toast(f"{words}\n{key}", note.title, run_id=run.id)


def _of_queue(run: Run, snapshot: Snapshot, waiting: QueuePosition | None) -> str:
    """How the queue stands for the run, as far as the snapshot knows."""
    where = clean(run.tenant)
    if snapshot.paused:
        return f"{where}: waits, the queue is paused."
    if not snapshot.workers:
        return f"{where}: waits, no worker is alive."
    if waiting and waiting.ahead and not waiting.others_ahead:
        return f"{where}: waits, {waiting.ahead:,} ahead."
    return f"{where}: waits for a worker."


def of_many(ended: Sequence[Notification]) -> Toast:
    """One toast for the runs of bulk retries that ended since the last poll."""
    wrong = sum(note.outcome is not Outcome.SUCCEEDED for note in ended)
    words = f"{len(ended)} of its runs ended, {wrong or 'all'} {'did not succeed' if wrong else 'succeeded'}.\nn: inbox"
    return Toast(words, "Bulk retry", "warning" if wrong else "information")


def of_receipt(started: Started) -> Toast | None:
    """The toast for a receipt. None for a queued run, because its notification arrives with the next poll."""
    from tasks.dispatch import Receipt

    run = started.run
    if started.receipt is Receipt.ATTACHED:
        words = f"{run.title} on {run.tenant} is {run.status} already: joined."
        return Toast(f"{clean(words)}\nv: view run {run.id}", run_id=run.id)
    if started.receipt is Receipt.DISPATCH_FAILED:
        words = f"{run.title} on {run.tenant} could not be queued and has failed."
        return Toast(f"{clean(words)}\nv: view run {run.id}", severity="error", run_id=run.id)
    return None


def of_error(error: Exception) -> Toast:
    """The toast for an error. Errors outside our own hierarchy are named with their type."""
    text = str(error) if isinstance(error, OpsmonError) else f"Unforeseen: {type(error).__name__}: {error}"
    return Toast(clean(text), severity="error")
