"""The interface of the application towards screens and actions, which never import the application itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from screens.backend import Backend
from screens.background import BackgroundTasks
from screens.bulk_retry import BulkRetry
from screens.notify.toasts import Severity, Toast
from screens.text.times import TimeStyle
from store.intune.backup_sets import BackupSet
from store.intune.drift_page import ListedFinding
from store.intune.group_search import DirectoryGroup
from store.intune.restore_mapping_page import MappedGroup
from store.intune.restore_records import Restore
from store.intune.schedule_records import Schedule
from store.model.records import Run
from store.runs.detail import RunDetail
from store.search.failure_groups import Group
from store.search.filter import RunFilter
from store.search.saved_views import SavedView
from store.snapshot import Snapshot

if TYPE_CHECKING:
    from store.runs.acknowledging import Receipt
    from tasks.graph.group_search import GroupSearch
    from tasks.sdk.operation import Operation


class Navigation(Protocol):
    """Opens screens. A screen's result goes to `then`, unless the user leaves the screen with esc."""

    def run(self, run_id: int) -> None:
        """Show one run."""

    def inbox(self) -> None:
        """Show the notifications."""

    def start(self) -> None:
        """Let the user choose an operation, then show its form."""

    def form(
        self,
        operation: Operation,
        retry_of: Run | None = None,
        tenant: str | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> None:
        """Show the form of an operation; with `retry_of`, the form retries that run with changed parameters. `tenant` is the
        slug of the tenant that is selected at first; None for the one shown in the list. `values` fill in parameters, by
        name.
        """

    def bulk(self, job: BulkRetry) -> None:
        """Show a bulk retry."""

    def is_showing(self, job: BulkRetry) -> bool:
        """Whether the screen on top shows this bulk retry."""

    def is_on_bulk(self) -> bool:
        """Whether the screen on top shows any bulk retry."""

    def failure_groups(self, wanted: RunFilter, terms: str, then: Callable[[Group], None]) -> None:
        """Show the failure groups of the runs that match the filter; `then` gets the chosen group."""

    def saved_views(self, shown: SavedView, then: Callable[[SavedView], None]) -> None:
        """Show the saved views; `then` gets the chosen one. `shown` is the present view, which can be saved."""

    def show_view(self, view: SavedView) -> None:
        """Go back to the list of runs, and show the view there."""

    def policies(self, tenant: str, kind: str) -> None:
        """Show the policies of a kind in the tenant with this slug."""

    def policy(self, policy_id: int) -> None:
        """Show one policy."""

    def backup_set(self, set_id: int) -> None:
        """Show one backup set."""

    def backup_item(self, item_id: int) -> None:
        """Show one item of a backup set."""

    def group_search(self, tenant: str) -> None:
        """Search the directory of the tenant with this slug for the group that its roles are for."""

    def sign_in(self, search: GroupSearch, then: Callable[[str], None]) -> None:
        """Sign the user in for a group search; `then` gets the end of it in words."""

    def restore(self, restore_id: int) -> None:
        """Show one restore."""

    def restore_item(self, restore_id: int, item_id: int) -> None:
        """Show one item of a restore."""

    def restore_mapping(self, restore_id: int) -> None:
        """Show which groups of the target tenant stand for those that a restore names."""

    def group_choice(self, tenant: str, group: MappedGroup, then: Callable[[DirectoryGroup], None]) -> None:
        """Search the cached directory of the tenant with this slug for what stands for a group; `then` gets what was chosen."""

    def restore_candidates(self, restore_id: int, item_id: int, then: Callable[[str], None]) -> None:
        """Show what an ambiguous item could be; `then` gets the id of the chosen object of the target."""

    def plan_restore(self, source: BackupSet, item: tuple[int, str] | None = None) -> None:
        """Show the form that plans the restore of a backup set, or of one item of it, given by its id and name."""

    def change_restore(self, restore: Restore) -> None:
        """Show the form that changes the scope and the mode of a restore."""

    def execute_restore(self, restore_id: int) -> None:
        """Show the impact of a previewed restore, to execute it."""

    def one_tenant(self, what: str, then: Callable[[str], None]) -> None:
        """Ask for one tenant; `what` is the question's beginning. `then` gets the tenant's slug."""

    def group(self, group: DirectoryGroup) -> None:
        """Show all that is known of a group in the cached directory."""

    def drift_report(self, run_id: int) -> None:
        """Show what a run of drift.generate found."""

    def accept_drift(self, finding: ListedFinding) -> None:
        """Ask why a finding may stay, and accept it."""

    def schedule_ticks(self, schedule: Schedule) -> None:
        """Show the history of a schedule of backups."""

    def schedule_form(self, tenant: str, kinds: tuple[str, ...], schedule: Schedule | None, zone: str) -> None:
        """Show the form that changes the schedule, or with None adds one, whose zone is `zone` at first. `kinds` are the
        kinds of policy that it can name.
        """

    def incident(self, detail: RunDetail) -> None:
        """Show a run as an incident card, to copy it or write it to a file."""

    def acknowledge(self, run_ids: Sequence[int], question: str, then: Callable[[tuple[Receipt, ...]], None]) -> None:
        """Ask for a note, and acknowledge the runs; `then` gets the receipts."""

    def confirm(self, question: str, then: Callable[[], None]) -> None:
        """Ask the question, and call `then` if the answer is yes."""


class Shell(Protocol):
    """The application, as screens and actions see it. Only the application's own thread may use it, except for
    `call_soon`.
    """

    backend: Backend
    background: BackgroundTasks
    ascii_only: bool
    #: How instants are shown.
    times: TimeStyle
    #: The tenant whose runs are shown; None for all.
    tenant: str | None

    @property
    def navigator(self) -> Navigation:
        """Opens screens."""

    @property
    def no_color(self) -> bool:
        """Whether colours are off (NO_COLOR)."""

    @property
    def snapshot(self) -> Snapshot | None:
        """The newest snapshot; None before the first one."""

    @property
    def freshness(self) -> str:
        """The snapshot's freshness in words: "live", "loading", "paused", or since when it is stale."""

    @property
    def trouble(self) -> str:
        """What is wrong with database, queue or workers, in one line; "" if nothing is."""

    @property
    def no_member(self) -> str | None:
        """What to show if the user is no longer a member of the chosen tenant; None if they are."""

    def in_tenant(self, wanted: RunFilter) -> RunFilter:
        """Return the filter, narrowed to the chosen tenant."""

    def message(self, text: str, severity: Severity = "information") -> None:
        """Show a toast that refers to no run."""

    def toast(self, toast: Toast, seconds: float | None = None) -> None:
        """Show a toast for so many seconds; `v` opens the run that it refers to."""

    @property
    def flashed(self) -> str:
        """What stands in the header for a moment; "" if nothing does."""

    def flash(self, text: str) -> None:
        """Show a few words in the header for a moment."""

    def error(self, error: Exception) -> None:
        """Show an error as a toast."""

    def ask(self, question: str, then: Callable[[], None]) -> None:
        """Call `then` if the user confirms; at once if the settings turn confirmations off."""

    def call_soon(self, then: Callable[[], None]) -> None:
        """Call `then` in the application's own thread. Safe to call from any thread."""

    def poll_now(self) -> None:
        """Poll at once, even while polling is paused."""

    def update_request(self) -> None:
        """Rebuild the poll's request from what the screens show now."""

    def resumed(self) -> None:
        """Another screen is now on top."""

    def copy_to_clipboard(self, text: str) -> bool:
        """Send the text to the terminal's clipboard. Returns False, with a message to the user, if it is too long."""
