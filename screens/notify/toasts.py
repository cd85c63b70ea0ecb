"""Toasts as pure functions of what happened, and a record of the notifications already announced."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from screens.text.safe import clean
from store.errors import OpsmonError
from store.model.records import Notification, Outcome

if TYPE_CHECKING:
    from tasks.dispatch import Started

Severity = Literal["information", "warning", "error"]

#: Maximum number of toasts at once; the rest is only counted. The inbox lists all.
AT_ONCE: Final = 4


@dataclass(frozen=True, slots=True)
class Toast:
    """A toast: `text`, `title`, `severity`. The key `v` opens the run `run_id`, until a newer toast names another."""

    text: str
    title: str = ""
    severity: Severity = "information"
    run_id: int | None = None


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
    ) -> list[Toast]:
        """Toasts for the notifications not announced yet, oldest first; `recent` is newest first.

        Announced ids are remembered one by one, because ids become visible out of order. Runs of a bulk retry
        (`in_bulk`, by run id) get one common toast when they end: their receipts already say that they are queued, and
        thousands of toasts would be useless and slow. A notification that `may_be_in_bulk` (by notification id) is
        decided at the next call.
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
        toasts = of_several(new)
        return [*toasts, of_many(ended)] if ended else toasts


def of_several(new: Sequence[Notification]) -> list[Toast]:
    """Toasts for notifications, oldest first; `new` is newest first. Of more than AT_ONCE, the oldest are only counted."""
    toasts = [of_notification(notification) for notification in reversed(new[:AT_ONCE])]
    more = len(new) - AT_ONCE
    return [Toast(f"{more} more notifications.\nn: inbox"), *toasts] if more > 0 else toasts


def of_notification(note: Notification) -> Toast:
    """The toast for one notification: a warning if its run did not succeed."""
    wrong = note.kind == "completed" and note.outcome is not Outcome.SUCCEEDED
    severity: Severity = "warning" if wrong else "information"
    return Toast(f"{clean(note.body)}\nv: view run {note.run_id}", note.title, severity, note.run_id)


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
