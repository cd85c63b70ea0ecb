"""Every screen and dialog in the light theme and in 16 colours, at 80x24 and 140x40. The dark ones lie beside each screen."""

from __future__ import annotations

import datetime as dt
import importlib
import pkgutil
import threading
from collections.abc import Callable, Iterator
from typing import Any, Final, cast

import pytest
from textual.command import CommandPalette
from textual.screen import Screen

import screens
from screens.audit.screen import AuditScreen
from screens.backups.item import BackupItemScreen
from screens.backups.set import BackupSetScreen
from screens.backups.sets import BackupSetsScreen
from screens.base import PolledView
from screens.bulk.screen import BulkScreen
from screens.bulk_retry import BulkRetry
from screens.dialogs.acknowledge import AcknowledgeModal
from screens.dialogs.confirm import ConfirmModal
from screens.dialogs.help import HelpModal
from screens.directory.group_modal import GroupModal
from screens.directory.screen import DirectoryScreen
from screens.drift.accept_modal import AcceptModal
from screens.drift.report import DriftReportScreen
from screens.drift.reports import DriftReportsScreen
from screens.inbox.screen import InboxScreen
from screens.inventory.kinds import KindsScreen
from screens.inventory.policies import PoliciesScreen
from screens.inventory.policy import PolicyScreen
from screens.monitor import Monitor
from screens.restores.candidates import CandidatesModal
from screens.restores.confirm import ExecuteScreen
from screens.restores.form import RestoreForm
from screens.restores.group_choice import GroupChoiceModal
from screens.restores.history import RestoresScreen
from screens.restores.item import RestoreItemScreen
from screens.restores.mapping import MappingScreen
from screens.restores.restore import RestoreScreen
from screens.run.incident_card_modal import IncidentCardModal
from screens.run.screen import RunScreen
from screens.runs.failure_groups import FailureGroupsScreen
from screens.runs.saved_views_modal import SavedViewsModal
from screens.runs.screen import RunsScreen
from screens.schedules.form import ScheduleForm
from screens.schedules.screen import SchedulesScreen
from screens.schedules.ticks import TicksScreen
from screens.start.form import FormScreen
from screens.start.picker import OperationPicker
from screens.tenants.group_search import GroupSearchScreen
from screens.tenants.picker import TenantPicker
from screens.tenants.screen import TenantScreen
from screens.tenants.sign_in_modal import SignInModal
from screens.workers.screen import WorkersScreen
from store.search.failure_groups import Groups
from tasks.graph.delegated import Prompt
from tasks.graph.group_search import GroupSearch, SignInOutcome
from tests.screens.audit import stage as audit
from tests.screens.backups import stage as backups
from tests.screens.backups import test_pictures as backup_pictures
from tests.screens.bulk import test_pictures as bulk
from tests.screens.conftest import NEVER, FakeBackend, until
from tests.screens.directory import stage as directory
from tests.screens.drift import stage as drift
from tests.screens.drift import test_pictures as drift_pictures
from tests.screens.inventory import stage as inventory
from tests.screens.inventory import test_pictures as inventory_pictures
from tests.screens.pictures import Picture, State
from tests.screens.restores import stage as restores
from tests.screens.restores import test_confirm as confirming
from tests.screens.restores import test_form as restore_form
from tests.screens.restores import test_pictures as restore_pictures
from tests.screens.restores.groups import mapping_stage
from tests.screens.restores.impacts import WANTING
from tests.screens.run import test_pictures as run
from tests.screens.runs.test_pictures import _told
from tests.screens.schedules import stage as schedules
from tests.screens.schedules.test_pictures import with_history
from tests.screens.tenants import test_settings as tenants
from tests.screens.test_finding_pictures import GROUPS, VIEWS
from tests.screens.test_pictures import INBOX, MANY
from tests.screens.workers.test_screen import LOAD
from tests.tasks.graph.person import settings_at

LISTED: Final = FakeBackend(MANY, inbox=INBOX)


def _run(name: str) -> State:
    stage, keys = run.STAGES[name]
    return State(stage, keys if keys[0:1] == ("enter",) else ("enter", *keys))


def _bulk(name: str) -> State:
    items, phase, words, trouble, keys = bulk.STATES[name]
    stage = FakeBackend()
    job = BulkRetry(stage.backend(), [item.run_id for item in items], words, lambda _: None)
    for place, item in enumerate(items):
        job._put(place, item)
    job.phase, job.trouble = phase, trouble

    async def before(pilot: Any, monitor: Monitor) -> None:
        monitor.actions.jobs.append(job)
        monitor.push_screen(BulkScreen(job))
        await until(pilot, lambda: isinstance(monitor.screen, BulkScreen) and monitor.screen._seen)

    return State(stage, keys, before=before)


class _Asked:
    """A sign-in that has a code for the person."""

    def sign_in(self, cancel: threading.Event, show: Callable[[Prompt], None]) -> SignInOutcome:
        show(Prompt("https://microsoft.com/devicelogin", "ABCD-1234", dt.datetime(2026, 3, 1, 12, 15, tzinfo=dt.UTC)))
        return cast("SignInOutcome", None)


class _SigningIn(SignInModal):
    """The dialog, which stays open while the person is in the browser."""

    def _ended(self, outcome: SignInOutcome | Exception) -> None:
        pass


async def _signing_in(pilot: Any, monitor: Monitor) -> None:
    monitor.push_screen(_SigningIn(cast("GroupSearch", _Asked())))
    await until(pilot, lambda: isinstance(monitor.screen, SignInModal), "the dialog")


def _without_sign_in() -> FakeBackend:
    """A tenant whose groups are searched in the cached directory: nobody could sign in."""
    search = GroupSearch("contoso", settings_at("http://127.0.0.1:9", delegated_client_id=None))
    return tenants.stage(tenants.Port(search=search))


#: The class of the screen and how the application comes to show it, by name.
STATES: Final[dict[str, tuple[type[Screen[Any]], State]]] = {
    "runs": (RunsScreen, State(LISTED, ())),
    "runs_with_marks": (RunsScreen, State(LISTED, ("j", "j", "space", "space", "k"))),
    "runs_that_failed": (RunsScreen, State(LISTED, ("5",))),
    "runs_and_the_filter": (RunsScreen, State(LISTED, ("slash", *"code:gr"))),
    "runs_and_a_toast": (RunsScreen, State(LISTED, (), before=_told)),
    "run_that_failed": (RunScreen, _run("where_it_failed")),
    "run_that_runs": (RunScreen, _run("running")),
    "run_that_waits": (RunScreen, _run("queued_in_a_paused_queue")),
    "run_partial": (RunScreen, _run("partial_with_failures")),
    "run_searched": (RunScreen, _run("searched")),
    "card": (IncidentCardModal, _run("card")),
    "acknowledging": (AcknowledgeModal, _run("acknowledging")),
    "question": (ConfirmModal, State(LISTED, ("j", "j", "r"))),
    "help": (HelpModal, State(LISTED, ("question_mark",))),
    "palette": (CommandPalette, State(LISTED, ("ctrl+p", *"re"), shows="Retry")),
    "picker": (OperationPicker, State(LISTED, ("s",))),
    "form_with_an_error": (
        FormScreen,
        State(LISTED, ("s", *"probe", "enter", "tab", "tab", "x"), shows="cannot be 'x'"),
    ),
    "inbox": (InboxScreen, State(LISTED, ("n",))),
    "workers": (WorkersScreen, State(FakeBackend(MANY, load=LOAD), ("w",))),
    "bulk_dry_run": (BulkScreen, _bulk("dry_run")),
    "bulk_under_way": (BulkScreen, _bulk("under_way")),
    "bulk_stopped": (BulkScreen, _bulk("stopped")),
    "failure_groups": (FailureGroupsScreen, State(FakeBackend(MANY, groups=Groups(GROUPS)), ("F", "j"))),
    "saved_views": (SavedViewsModal, State(FakeBackend(MANY, kept=VIEWS), ("V",))),
    "audit": (AuditScreen, State(audit.stage(), ("U",))),
    "tenant_picker": (TenantPicker, State(LISTED, ("t",))),
    "tenant": (TenantScreen, State(tenants.stage(), ("T",), shows="certificate")),
    "group_search": (GroupSearchScreen, State(_without_sign_in(), ("T", "e"), shows="delegated_client_id")),
    "sign_in": (SignInModal, State(LISTED, (), before=_signing_in, shows="ABCD-1234")),
    "kinds": (KindsScreen, State(inventory.stage(), ("i",))),
    "policies": (PoliciesScreen, State(inventory.stage(), inventory_pictures.TO_POLICIES)),
    "policy": (PolicyScreen, State(inventory.stage(), inventory_pictures.TO_POLICY)),
    "policy_that_changed": (
        PolicyScreen,
        State(inventory.stage(), (*inventory_pictures.TO_POLICY, "d"), shows="lines added"),
    ),
    "directory": (DirectoryScreen, State(directory.stage(), ("D",))),
    "group": (GroupModal, State(directory.stage(), ("D", "enter"))),
    "drift_reports": (DriftReportsScreen, State(drift.stage(), ("C",))),
    "drift_report": (DriftReportScreen, State(drift.stage(), (*drift_pictures.OPEN, "tab", "enter"))),
    "accepting_drift": (AcceptModal, State(drift.stage(), (*drift_pictures.OPEN, "tab", "a", *"Planned", "enter"))),
    "backup_sets": (BackupSetsScreen, State(backups.stage(), ("B", "j", "j"))),
    "backup_set": (BackupSetScreen, State(backups.stage(), (*backup_pictures.TO_INCOMPLETE, "j"))),
    "backup_item": (BackupItemScreen, State(backups.stage(), backup_pictures.TO_ITEM)),
    "schedules": (SchedulesScreen, State(schedules.Stage(*schedules.ALL), ("S", "j"))),
    "schedule_form": (
        ScheduleForm,
        State(schedules.Stage(*schedules.ALL), ("S", "a", *"nightly", "tab", *"0 99 * * *", "ctrl+s")),
    ),
    "schedule_history": (TicksScreen, State(with_history(), ("S", "enter"))),
    "restores": (RestoresScreen, State(restores.stage(), ("X", *"jjj"))),
    "restore": (RestoreScreen, State(restores.stage(), (*restore_pictures.TO_PREVIEWED, *"jjj"))),
    "restore_item": (RestoreItemScreen, State(restores.stage(), restore_pictures.TO_ITEM)),
    "candidates": (CandidatesModal, State(restores.stage(), (*restore_pictures.TO_PREVIEWED, *"jjjj", "c"))),
    "mapping": (MappingScreen, State(mapping_stage(), ("X", "m", *"jj"))),
    "group_choice": (
        GroupChoiceModal,
        State(mapping_stage(), ("X", "m", *"jj", "enter", "ctrl+u", *"sa", "down"), shows="2 of 12,004 groups."),
    ),
    "restore_form": (RestoreForm, State(restore_form.with_sets(members=restore_form.BOTH), ("B", "enter", "r"))),
    "restore_confirmation": (
        ExecuteScreen,
        State(confirming.confirming(WANTING), (*confirming.REVIEWED, *"Contoso")),
    ),
}


@pytest.mark.parametrize("name", STATES)
def test_in_light_and_in_16_colours(name: str, picture: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("screens.bulk.screen.LOOK_EVERY", NEVER)  # it looks with each poll, too, and so comes to rest
    shown_by, state = STATES[name]
    if shown_by is CommandPalette:
        picture.opened_in_other_themes(shown_by, state)
    else:
        picture.in_other_themes(shown_by, state)


def _below(parent: type[Any]) -> Iterator[type[Any]]:
    """The classes of the package that nothing there derives from."""
    children = [child for child in parent.__subclasses__() if child.__module__.startswith("screens.")]
    for child in children:
        yield from _below(child)
    if not children:
        yield parent


def test_no_screen_is_forgotten() -> None:
    for module in pkgutil.walk_packages(screens.__path__, "screens."):
        importlib.import_module(module.name)
    every = {found for found in _below(PolledView) if issubclass(found, Screen)}
    assert every - {screen for screen, _ in STATES.values()} == set()
    assert len(every) > 30, "the classes are no longer found"
