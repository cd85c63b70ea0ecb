"""What is said in toasts: pure functions of what happened, and a memory of what was said."""

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

#: Toasts at once; what is more is counted. The inbox has them all.
AT_ONCE: Final = 4


@dataclass(frozen=True, slots=True)
class Toast:
    """A toast. `run_id` is the run that "View run" opens then."""

    text: str
    title: str = ""
    severity: Severity = "information"
    run_id: int | None = None


class SeenNotifications:
    """Which notifications this process has told. What was there before it was opened is not news."""

    def __init__(self) -> None:
        self._ids: set[int] | None = None
        #: What the last call found to be news, oldest first.
        self.newest: tuple[Notification, ...] = ()

    def news(
        self,
        recent: Sequence[Notification],
        in_bulk: Callable[[int], bool] = lambda run_id: False,
        may_be_in_bulk: Callable[[int], bool] = lambda notification_id: False,
    ) -> list[Toast]:
        """Toasts for those of the newest notifications (newest first) that were not told yet, oldest first.

        By what was told and not by the highest id: ids become visible out of order. The runs of a bulk retry (`in_bulk`, by
        their ids) have receipts that say they are queued, and are counted when they end: thousands of toasts tell nobody
        anything, and painting them takes longer than a key may wait. Of what `may_be_in_bulk`, by its own id, the next call
        decides.
        """
        known = self._ids or set()
        open_ = {note.id for note in recent if note.id not in known and may_be_in_bulk(note.id)}
        recent = [notification for notification in recent if notification.id not in open_]
        ids = {notification.id for notification in recent}
        told, self._ids = self._ids, ids | (self._ids or set())
        new = [] if told is None else [notification for notification in recent if notification.id not in told]
        ended = [
            notification for notification in new if in_bulk(notification.run_id) and notification.kind == "completed"
        ]
        new = [notification for notification in new if not in_bulk(notification.run_id)]
        self.newest = tuple(reversed(new))
        toasts = [of_notification(notification) for notification in reversed(new[:AT_ONCE])]
        if len(new) > AT_ONCE:
            toasts.insert(0, Toast(f"{len(new) - AT_ONCE} more notifications.\nn: inbox"))
        return [*toasts, of_many(ended)] if ended else toasts


def of_notification(told: Notification) -> Toast:
    wrong = told.kind == "completed" and told.outcome is not Outcome.SUCCEEDED
    severity: Severity = "warning" if wrong else "information"
    return Toast(f"{clean(told.body)}\nv: view run {told.run_id}", told.title, severity, told.run_id)


def of_many(ended: Sequence[Notification]) -> Toast:
    """Of runs of a bulk retry that have ended since the last look."""
    wrong = sum(told.outcome is not Outcome.SUCCEEDED for told in ended)
    words = f"{len(ended)} of its runs ended, {wrong or 'all'} {'did not succeed' if wrong else 'succeeded'}.\nn: inbox"
    return Toast(words, "Bulk retry", "warning" if wrong else "information")


def of_receipt(started: Started) -> Toast | None:
    """None for a queued run: its initiator is told by the run's own notification, which the next poll brings."""
    from tasks.dispatch import Receipt

    run = started.run
    if started.receipt is Receipt.ATTACHED:
        words = f"{run.title} on {run.tenant} is {run.status} already: joined."
        return Toast(f"{clean(words)}\nv: view run {run.id}", run_id=run.id)
    if started.receipt is Receipt.DISPATCH_FAILED:
        words = f"{run.title} on {run.tenant} could not be queued and is failed."
        return Toast(f"{clean(words)}\nv: view run {run.id}", severity="error", run_id=run.id)
    return None


def of_error(error: Exception) -> Toast:
    text = str(error) if isinstance(error, OpsmonError) else f"Unforeseen: {type(error).__name__}: {error}"
    return Toast(clean(text), severity="error")
