"""What the screens need from the other packages. `opsmon/app.py` builds it; tests build their own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from screens.background import Background
from screens.terminal.osc import Kind
from store.intune.restore_mappings import Decision
from store.intune.restore_records import Mode, Restore, Scope
from store.intune.schedule_records import Schedule, ScheduleSettings
from store.intune.tenant_settings import ChosenGroup
from store.model.records import User
from store.search.filter import RunFilter
from store.search.last_view import LastView, Times
from store.search.matching import Matching
from store.search.saved_views import SavedView
from store.snapshot import Request, Snapshot

if TYPE_CHECKING:
    from store.runs.acknowledging import Receipt
    from store.runs.restore_review import Review
    from tasks.dispatch import Dispatcher
    from tasks.graph.group_search import GroupSearch


class Preferences(Protocol):
    """What is stored for the user. Every call may block, and may raise DatabaseAway."""

    def views(self) -> tuple[SavedView, ...]:
        """Return the saved views."""

    def save_view(self, view: SavedView) -> tuple[SavedView, ...]:
        """Save a view, and return all saved views. Raises InputInvalid."""

    def delete_view(self, name: str) -> tuple[SavedView, ...]:
        """Delete the view of that name, and return the remaining ones."""

    def seen_at(self) -> dt.datetime | None:
        """When the user was last present, by the database's clock; None if unknown."""

    def mark_seen(self, at: dt.datetime) -> None:
        """Store that the user was present at that instant."""

    def save_last(self, last: LastView) -> None:
        """Store what the user looks at."""


class ScheduleChanges(Protocol):
    """The user's changes of schedules of backups. Every call may block, and raises what store/intune/schedules.py does."""

    def add(self, tenant: str, settings: ScheduleSettings) -> Schedule:
        """Add a schedule to the tenant with this slug."""

    def edit(self, schedule_id: int, changes: Mapping[str, Any]) -> Schedule:
        """Change these fields of the schedule's settings, and return it as it is now."""

    def remove(self, schedule_id: int) -> Schedule:
        """Remove a schedule, and return it as it was."""


@dataclass(frozen=True, slots=True)
class CredentialsState:
    """Whether a tenant's credentials can be used, in words, as far as this machine can tell."""

    words: str
    is_bad: bool = False
    is_warning: bool = False

    @property
    def is_fine(self) -> bool:
        """Whether nothing speaks against them."""
        return not (self.is_bad or self.is_warning)


class TenantPort(Protocol):
    """A tenant's settings. Every call may block; changes raise what store/intune/tenant_settings.py does."""

    def credentials(self, tenant: str) -> CredentialsState:
        """The health of the tenant's credentials. Signs nobody in."""

    def group_search(self, tenant: str) -> GroupSearch:
        """A search of the tenant's directory, for one screen."""

    def choose_group(self, tenant: str, group_id: str, name: str) -> ChosenGroup:
        """Keep the group that the tenant's roles are for."""

    def forget_group(self, tenant: str) -> bool:
        """Keep none any more. Returns whether there was one."""


class AttentionPort(Protocol):
    """What the user has seen to, and wants to be told of. Every call may block, and raises what store/runs/acknowledging.py and
    store/runs/watching.py do.
    """

    def acknowledge(self, run_ids: Sequence[int], note: str) -> tuple[Receipt, ...]:
        """Acknowledge runs that went wrong, with a note that may be empty. Returns a receipt for each."""

    def take_back(self, run_ids: Sequence[int]) -> tuple[Receipt, ...]:
        """Take acknowledgements back. Returns a receipt for each."""

    def watch(self, run_id: int) -> bool:
        """Watch a run. Returns False if the user watches it already."""

    def unwatch(self, run_id: int) -> bool:
        """Watch a run no longer. Returns whether the user did."""

    def tell(self, run_ids: Sequence[int]) -> frozenset[int]:
        """Mark the ends of watched runs as told. Returns those that no session has told before: only these are news."""


class RestoreChanges(Protocol):
    """The user's changes of restores. Every call may block, and raises what store/runs/restoring.py does."""

    def choose(self, restore_id: int, choices: Mapping[int, Mapping[str, Any]]) -> Restore:
        """Choose for items, by their ids: an object of the target, to leave it out, or nothing any more."""

    def leave_out_blocked(self, restore_id: int) -> Restore:
        """Leave out everything that is blocked or ambiguous."""

    def discard(self, restore_id: int) -> Restore:
        """Give up the preview."""

    def undo(self, restore_id: int) -> Restore:
        """Plan a restore of what this one has overwritten, and return it."""

    def decide(self, restore_id: int, decisions: Sequence[Decision]) -> Restore:
        """Map groups, skip them, or leave them unresolved again."""

    def suggest(self, restore_id: int) -> Restore:
        """Look for the groups that nobody decided on in the cached directory as it is now."""

    def plan(self, set_id: int, tenant: str, scope: Scope, mode: Mode, reason: str) -> Restore:
        """Plan the restore of a backup set into the tenant with this slug."""

    def rescope(self, restore_id: int, scope: Scope, mode: Mode) -> Restore:
        """Choose other items, or another mode: what came later begins anew."""

    def tick(self, restore_id: int, ticks: Sequence[str]) -> Restore:
        """Agree to these ticks, and to no others."""

    def review(self, restore_id: int) -> Review:
        """The restore with all of its items and their plans."""


@dataclass(frozen=True)
class Backend:
    """Everything that a screen calls outside `screens/`.

    `fetch` reads a snapshot. `mark_read` (user id, run id or None, newest notification id or None) marks notifications
    as read. `matching` (filter, tab, limit) finds the runs that match. `set_queue_paused` pauses (True) or resumes the queue,
    and returns whether that changed anything. `dispatcher` builds the dispatcher on its first call.

    All of them may block or raise, and are called in threads only: those of `background`, and the poller's.
    """

    user: User
    #: The database's name for the header, without credentials.
    database: str
    fetch: Callable[[Request], Snapshot]
    dispatcher: Callable[[], Dispatcher]
    mark_read: Callable[[int, int | None, int | None], None]
    matching: Callable[[RunFilter, str, int], Matching]
    #: What is stored for the user.
    preferences: Preferences
    schedules: ScheduleChanges
    restores: RestoreChanges
    #: Accepts a finding of drift (its id, the reason, until when). Raises as store/intune/drift.py does.
    accept_drift: Callable[[int, str, dt.datetime | None], None]
    set_queue_paused: Callable[[bool], bool]
    tenants: TenantPort
    attention: AttentionPort
    #: The name of a kind of policy for people, such as "compliance policies"; what is no known kind, as it is.
    kind_label: Callable[[str], str] = str
    #: Seconds between two polls.
    poll_seconds: float = 1.0
    #: Seconds without a heartbeat after which a worker counts as lost.
    lost_after: float = 30.0
    #: Seconds without a heartbeat after which a worker counts as silent.
    silent_after: float = 10.0
    #: Seconds without any worker before the banner says so: an embedded worker needs a moment to start.
    nobody_after: float = 0.0
    #: Seconds for which the preview of a restore can be executed.
    preview_seconds: float = 24 * 3600.0
    #: Whether this session completes the runs of lost workers.
    rescues: Callable[[], bool] = lambda: True
    background: Background = field(default_factory=Background)


@dataclass(frozen=True)
class Appearance:
    """How the screens look and sound, from the settings.

    `theme` is a Textual theme ("" for the default), `keys` maps ids of bindings to keys, and `notify_by` is the
    sequence for notifications in the terminal (None for none).
    """

    theme: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)
    notify_by: Kind | None = None
    #: Whether retrying a run, pausing the queue and the like ask for confirmation first.
    asks: bool = True
    #: How instants are shown to a user who never chose, and the terminal's zone (None for the machine's).
    times: Times = "age"
    zone: dt.tzinfo | None = None


PLAIN = Appearance()
