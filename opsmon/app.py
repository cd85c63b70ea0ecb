"""Connects the screens to the services. Wiring only."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from textual.theme import BUILTIN_THEMES

from opsmon.rescuing import Watch
from opsmon.services import Services
from opsmon.settings import Settings
from opsmon.signals import ended_by_signals, leave
from screens.backend import Appearance, Backend, CredentialsState
from screens.key_names import KEY_NAMES
from screens.memory import Opening
from screens.monitor import Monitor
from screens.terminal.driver import diffing_driver
from screens.text.ascii import wants_ascii
from screens.text.themes import THEMES, fitting
from store import snapshot
from store.db.engine import Database
from store.errors import InputInvalid
from store.intune import drift, schedules, tenant_settings
from store.intune.restore_mappings import Decision
from store.intune.restore_records import Mode, Restore, Scope
from store.intune.schedule_records import Schedule, ScheduleSettings
from store.intune.tenant_settings import ChosenGroup
from store.model.records import User
from store.people import notifications, preferences
from store.search import last_view, saved_views
from store.search import matching as matching_runs
from store.search.filter import RunFilter
from store.search.last_view import LastView
from store.search.saved_views import SavedView
from store.snapshot import Request, Snapshot, SnapshotCache
from store.workers import pause as queue_pause

if TYPE_CHECKING:
    from store.runs.acknowledging import Receipt
    from store.runs.restore_review import Review
    from tasks.graph.group_search import GroupSearch


@dataclass(frozen=True)
class StoredPreferences:
    """A user's saved views and preferences, in the database. Every method raises DatabaseAway."""

    db: Database
    user_id: int

    def views(self) -> tuple[SavedView, ...]:
        """The user's saved views."""
        return saved_views.read(self.db, self.user_id)

    def save_view(self, view: SavedView) -> tuple[SavedView, ...]:
        """Save a view under its name. Returns all saved views."""
        return saved_views.save(self.db, self.user_id, view)

    def delete_view(self, name: str) -> tuple[SavedView, ...]:
        """Delete the view of this name. Returns the remaining ones."""
        return saved_views.delete(self.db, self.user_id, name)

    def seen_at(self) -> dt.datetime | None:
        """When the user last saw the screens; None if never."""
        return preferences.seen_at(self.db, self.user_id)

    def mark_seen(self, at: dt.datetime) -> None:
        """Store when the user last saw the screens."""
        preferences.mark_seen(self.db, self.user_id, at)

    def save_last(self, last: LastView) -> None:
        """Store what the user looks at."""
        last_view.save(self.db, self.user_id, last)


@dataclass(frozen=True)
class StoredSchedules:
    """A user's changes of schedules of backups, in the database. Every method raises as store/intune/schedules.py does."""

    db: Database
    user: User

    def add(self, tenant: str, settings: ScheduleSettings) -> Schedule:
        """Add a schedule to the tenant with this slug."""
        return schedules.add(self.db, self.user, tenant, settings)

    def edit(self, schedule_id: int, changes: Mapping[str, Any]) -> Schedule:
        """Change these fields of the schedule's settings."""
        return schedules.edit(self.db, self.user, schedule_id, changes)

    def remove(self, schedule_id: int) -> Schedule:
        """Remove a schedule with its history."""
        return schedules.remove(self.db, self.user, schedule_id)


@dataclass(frozen=True)
class StoredTenants:
    """A tenant's settings, in the database and in the configuration. What is slow is imported when it is asked for."""

    services: Services
    user: User

    def credentials(self, tenant: str) -> CredentialsState:
        """The health of the tenant's credentials. Signs nobody in."""
        from opsmon import tenant_doctor
        from opsmon.findings import State

        found = tenant_doctor.credentials(self.services, tenant)
        return CredentialsState(found.message, found.state is State.BAD, found.state is State.WARNING)

    def group_search(self, tenant: str) -> GroupSearch:
        """A search of the tenant's directory, for one screen."""
        from tasks.graph.group_search import GroupSearch

        return GroupSearch(tenant, self.services.settings)

    def choose_group(self, tenant: str, group_id: str, name: str) -> ChosenGroup:
        """Keep the group that the tenant's roles are for."""
        return tenant_settings.choose_rbac_group(self.services.db, self.user, tenant, group_id, name)

    def forget_group(self, tenant: str) -> bool:
        """Keep none any more. Returns whether there was one."""
        return tenant_settings.forget_rbac_group(self.services.db, self.user, tenant)


@dataclass(frozen=True)
class StoredAttention:
    """What a user has seen to and watches, in the database. See `screens.backend.AttentionPort`."""

    db: Database
    user: User

    def acknowledge(self, run_ids: Sequence[int], note: str) -> tuple[Receipt, ...]:
        """Acknowledge runs that went wrong."""
        from store.runs import acknowledging  # not before the first paint

        return acknowledging.acknowledge(self.db, self.user, run_ids, note)

    def take_back(self, run_ids: Sequence[int]) -> tuple[Receipt, ...]:
        """Take acknowledgements back."""
        from store.runs import acknowledging

        return acknowledging.unacknowledge(self.db, self.user, run_ids)

    def watch(self, run_id: int) -> bool:
        """Watch a run. Returns False if the user watches it already."""
        from store.runs import watching

        return watching.watch(self.db, self.user.id, run_id)

    def unwatch(self, run_id: int) -> bool:
        """Watch a run no longer. Returns whether the user did."""
        from store.runs import watching

        return watching.unwatch(self.db, self.user.id, run_id)

    def tell(self, run_ids: Sequence[int]) -> frozenset[int]:
        """Mark the ends of watched runs as told. Returns those that are news."""
        from store.runs import watching

        return watching.tell(self.db, self.user.id, run_ids)


@dataclass(frozen=True)
class StoredRestores:
    """A user's changes of restores, in the database. Every method raises as store/runs/restoring.py does."""

    db: Database
    user: User

    def choose(self, restore_id: int, choices: Mapping[int, Mapping[str, Any]]) -> Restore:
        """Choose for items, by their ids."""
        from store.runs import restoring  # not before the first paint

        return restoring.choose(self.db, self.user, restore_id, choices)

    def leave_out_blocked(self, restore_id: int) -> Restore:
        """Leave out everything that is blocked or ambiguous."""
        from store.runs import restoring

        return restoring.leave_out_blocked(self.db, self.user, restore_id)

    def discard(self, restore_id: int) -> Restore:
        """Give up the preview."""
        from store.runs import restoring

        return restoring.discard(self.db, self.user, restore_id)

    def undo(self, restore_id: int) -> Restore:
        """Plan a restore of what this one has overwritten."""
        from store.runs import restoring

        return restoring.undo(self.db, self.user, restore_id)

    def decide(self, restore_id: int, decisions: Sequence[Decision]) -> Restore:
        """Map groups, skip them, or leave them unresolved again."""
        from store.runs import restoring

        return restoring.decide(self.db, self.user, restore_id, decisions)

    def suggest(self, restore_id: int) -> Restore:
        """Look for the groups that nobody decided on."""
        from store.runs import restoring

        return restoring.suggest(self.db, self.user, restore_id)

    def plan(self, set_id: int, tenant: str, scope: Scope, mode: Mode, reason: str) -> Restore:
        """Plan the restore of a backup set."""
        from store.runs import restoring

        return restoring.plan(self.db, self.user, set_id, tenant, scope, mode, reason)

    def rescope(self, restore_id: int, scope: Scope, mode: Mode) -> Restore:
        """Choose other items, or another mode."""
        from store.runs import restoring

        return restoring.rescope(self.db, self.user, restore_id, scope, mode)

    def tick(self, restore_id: int, ticks: Sequence[str]) -> Restore:
        """Agree to these ticks, and to no others."""
        from store.runs import restoring

        return restoring.tick(self.db, self.user, restore_id, ticks)

    def review(self, restore_id: int) -> Review:
        """The restore with all of its items and their plans."""
        from store.runs import restore_review

        return restore_review.review(self.db, self.user, restore_id)


#: Seconds that the embedded worker may take to start before the screens report that no worker is alive.
NOBODY_AFTER: Final = 8.0


def make_backend(services: Services, user: User, rescues: Callable[[], bool] = lambda: True) -> Backend:
    """The screens' backend, built from the services. `rescues` says whether this process completes the runs of lost workers."""
    cache = SnapshotCache()

    def fetch(request: Request) -> Snapshot:
        return snapshot.take(services.db, request, cache)

    def mark_read(user_id: int, run_id: int | None, up_to: int | None) -> None:
        notifications.mark_read(services.db, user_id, run_id=run_id, up_to=up_to)

    def matching(wanted: RunFilter, tab: str, limit: int) -> matching_runs.Matching:
        return matching_runs.all_matching(services.db, user.id, wanted, tab, limit)

    def set_queue_paused(paused: bool) -> bool:
        return (queue_pause.pause if paused else queue_pause.resume)(services.db, user)

    return Backend(
        user=user,
        database=services.db.name,
        fetch=fetch,
        dispatcher=lambda: services.dispatcher,
        mark_read=mark_read,
        accept_drift=lambda *given: drift.accept(services.db, user, *given),
        matching=matching,
        preferences=StoredPreferences(services.db, user.id),
        schedules=StoredSchedules(services.db, user),
        tenants=StoredTenants(services, user),
        attention=StoredAttention(services.db, user),
        restores=StoredRestores(services.db, user),
        set_queue_paused=set_queue_paused,
        kind_label=kind_label,
        poll_seconds=services.settings.poll_seconds,
        lost_after=services.settings.lost_after_seconds,
        silent_after=services.settings.silent_after,
        nobody_after=NOBODY_AFTER if services.settings.is_embedded else 0.0,
        preview_seconds=services.settings.restore_preview_seconds,
        rescues=rescues,
    )


def kind_label(kind: str) -> str:
    """What people call a kind of policy. The kinds are loaded when somebody looks at an inventory: the first paint needs none."""
    from tasks.graph.resources import BY_NAME

    return BY_NAME[kind].label if kind in BY_NAME else kind


#: Seconds that the end waits for what is still being stored: the database may be away.
_LAST_WRITE: Final = 0.3


def make_look(settings: Settings) -> Appearance:
    """The appearance of the screens, from the settings. Raises InputInvalid for an unknown theme or key name."""
    theme, how = settings.theme, settings.terminal_notifications
    if theme and theme not in THEMES and theme not in BUILTIN_THEMES:
        raise InputInvalid(f"there is no theme '{theme}'", f"known are {', '.join((*THEMES, *BUILTIN_THEMES))}")
    known = KEY_NAMES
    for name in settings.keys:
        if name not in known:
            raise InputInvalid(f"[keys] sets '{name}', which no key does", f"known are {', '.join(sorted(known))}")
    theme = theme or fitting(Console().color_system)
    notify_by = None if how == "off" else how
    return Appearance(theme, settings.keys, notify_by, asks=settings.ask == "yes", times=settings.times)


def run_screens(
    services: Services,
    user: User,
    before: Callable[[], None] = lambda: None,
    *,
    terms: str | None = None,
    run_id: int | None = None,
) -> int:
    """Show the screens until the user quits. Returns the exit code. `before` is called once all settings have proved valid.

    They open with what the user looked at last; with these filter terms in its place, or on this run above it.
    """
    settings = services.settings
    ascii_only = wants_ascii() if settings.ascii == "auto" else settings.ascii == "yes"
    watch = Watch(services)
    app = Monitor(
        make_backend(services, user, lambda: watch.can),
        look=make_look(settings),
        ascii_only=ascii_only,
        driver_class=diffing_driver(),
        opening=Opening(last_view.read(services.db, user.id), terms, run_id),
    )

    def quit_(number: int) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            leave(number)
        # An exception raised by a signal handler could interrupt the app anywhere, and leave the terminal in disorder.
        loop.call_soon_threadsafe(lambda: app.exit(return_code=128 + number))

    before()
    watch.start()
    try:
        with ended_by_signals(quit_):
            app.run(mouse=settings.mouse == "yes")
    finally:
        app.backend.background.wait(_LAST_WRITE)
        watch.stop(seconds=0.5)
    return app.return_code or 0
