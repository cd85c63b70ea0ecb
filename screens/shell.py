"""What screens, and what acts for them, may ask of the application. None of them knows the application itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from screens.backend import Backend
from screens.background import BackgroundTasks
from screens.bulk_retry import BulkRetry
from screens.notify.toasts import Severity, Toast
from store.model.records import Run
from store.runs.detail import RunDetail
from store.search.failure_groups import Group
from store.search.filter import RunFilter
from store.search.saved_views import SavedView
from store.snapshot import Snapshot

if TYPE_CHECKING:
    from tasks.sdk.operation import Operation


class Navigation(Protocol):
    """Opens screens. What a screen was opened for comes back to `then`, unless a person leaves it with esc."""

    def run(self, run_id: int) -> None:
        """Show the run."""

    def start(self) -> None:
        """Choose an operation, then fill in its form."""

    def form(self, operation: Operation, retry_of: Run | None = None) -> None:
        """Show the form of an operation; with `retry_of`, to retry that run with other parameters."""

    def bulk(self, job: BulkRetry) -> None:
        """Show a retry of many runs."""

    def is_showing(self, job: BulkRetry) -> bool:
        """Whether that retry is what the person looks at."""

    def is_on_bulk(self) -> bool:
        """Whether the person looks at a retry of many runs."""

    def failure_groups(self, wanted: RunFilter, terms: str, then: Callable[[Group], None]) -> None:
        """Show the failures that the filter leaves; `then` gets the group that was chosen."""

    def saved_views(self, shown: SavedView, then: Callable[[SavedView], None]) -> None:
        """Show the saved views, to choose one or to keep `shown` as one."""

    def show_view(self, view: SavedView) -> None:
        """Go back to the list, and show there what the view holds."""

    def incident(self, detail: RunDetail) -> None:
        """Show a run as a card, to copy or to write to a file."""

    def confirm(self, question: str, then: Callable[[], None]) -> None:
        """Ask, and do it if the answer is yes."""


class Shell(Protocol):
    """The application, as everything in it sees it. All of it is for the application's own thread."""

    backend: Backend
    background: BackgroundTasks
    ascii_only: bool
    #: The tenant whose runs are shown; None for all.
    tenant: str | None

    @property
    def navigator(self) -> Navigation:
        """Opens screens."""

    @property
    def no_color(self) -> bool:
        """Whether nothing may be told by colour."""

    @property
    def snapshot(self) -> Snapshot | None:
        """The newest; None before the first."""

    @property
    def freshness(self) -> str:
        """How fresh the snapshot is, in words: "live", "loading", "paused", or since when it is stale."""

    @property
    def trouble(self) -> str:
        """What is wrong with database, queue and workers, in one line; "" when nothing is."""

    @property
    def no_member(self) -> str | None:
        """What to say when the user is no member of the chosen tenant any more."""

    def in_tenant(self, wanted: RunFilter) -> RunFilter:
        """The filter narrowed to the chosen tenant."""

    def message(self, text: str, severity: Severity = "information", title: str = "") -> None:
        """Show a toast that names no run."""

    def toast(self, toast: Toast, seconds: float | None = None) -> None:
        """Show a toast; `v` opens the run that it names."""

    def error(self, error: Exception) -> None:
        """Show what went wrong."""

    def ask(self, question: str, then: Callable[[], None]) -> None:
        """Do it if the answer is yes; without a question when the settings want none."""

    def call_soon(self, then: Callable[[], None]) -> None:
        """Call it in the application's own thread; this alone may be called from any other."""

    def poll_now(self) -> None:
        """Poll at once, paused or not."""

    def update_request(self) -> None:
        """Ask the poller for what the screens show now."""

    def resumed(self) -> None:
        """Another screen is on top."""

    def copy_to_clipboard(self, text: str) -> bool:
        """Send the text to the terminal's clipboard. Returns whether it was sent: too long a text is refused, and told."""
