"""Opens every screen, and is the only module that knows all of them.

Each screen is imported when it is first opened, because the first paint needs the list of runs alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from textual.app import App
from textual.screen import Screen

from screens.bulk_retry import BulkRetry
from screens.runs.screen import RunsScreen
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

if TYPE_CHECKING:
    from store.runs.acknowledging import Receipt
    from tasks.graph.group_search import GroupSearch
    from tasks.sdk.operation import Operation

T = TypeVar("T")


class Navigator:
    """Opens screens and passes their results to the caller. See `screens.shell.Navigation` for what each method
    promises.
    """

    def __init__(self, app: App[None]) -> None:
        self._app = app

    def runs(self, view: SavedView) -> RunsScreen:
        """Push the list of runs, which shows this view, and return it. It stays below all other screens."""
        listed = RunsScreen(view)
        self._app.push_screen(listed)
        return listed

    def back_to_runs(self) -> RunsScreen:
        """Close every screen above the list of runs, and return the list."""
        listed = next(screen for screen in self._app.screen_stack if isinstance(screen, RunsScreen))
        while self._app.screen is not listed:
            self._app.pop_screen()
        return listed

    def show_view(self, view: SavedView) -> None:
        self.back_to_runs().show_view(view)

    def run(self, run_id: int) -> None:
        from screens.run.screen import RunScreen

        if not (isinstance(self._app.screen, RunScreen) and self._app.screen.run_id == run_id):
            self._app.push_screen(RunScreen(run_id))

    def start(self) -> None:
        from screens.start.picker import OperationPicker

        self._open(OperationPicker(), self.form)

    def form(
        self,
        operation: Operation,
        retry_of: Run | None = None,
        tenant: str | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> None:
        from screens.start.form import FormScreen

        self._app.push_screen(FormScreen(operation, retry_of, tenant, values))

    def bulk(self, job: BulkRetry) -> None:
        from screens.bulk.screen import BulkScreen

        self._app.push_screen(BulkScreen(job))

    def is_on_bulk(self) -> bool:
        from screens.bulk.screen import BulkScreen

        return isinstance(self._app.screen, BulkScreen)

    def is_showing(self, job: BulkRetry) -> bool:
        from screens.bulk.screen import BulkScreen

        return isinstance(self._app.screen, BulkScreen) and self._app.screen.job is job

    def failure_groups(self, wanted: RunFilter, terms: str, then: Callable[[Group], None]) -> None:
        from screens.runs.failure_groups import FailureGroupsScreen

        self._open(FailureGroupsScreen(wanted, terms), then)

    def saved_views(self, shown: SavedView, then: Callable[[SavedView], None]) -> None:
        from screens.runs.saved_views_modal import SavedViewsModal

        self._open(SavedViewsModal(shown), then)

    def tenants(self, then: Callable[[str | None], None]) -> None:
        """Choose whose runs are shown; `then` gets a tenant's slug, or None for all tenants."""
        from screens.tenants.picker import TenantPicker

        if not isinstance(self._app.screen, TenantPicker):
            self._open(TenantPicker(), lambda chosen: then(chosen or None))

    def inbox(self) -> None:
        """Show the notifications."""
        from screens.inbox.screen import InboxScreen

        self._open_once(InboxScreen)

    def workers(self) -> None:
        """Show the workers and the queue."""
        from screens.workers.screen import WorkersScreen

        self._open_once(WorkersScreen)

    def audit(self) -> None:
        """Show the audit trail."""
        from screens.audit.screen import AuditScreen

        self._open_once(AuditScreen)

    def tenant(self, tenant: str) -> None:
        """Show the tenant's settings and members."""
        from screens.tenants.screen import TenantScreen

        if not isinstance(self._app.screen, TenantScreen):
            self._app.push_screen(TenantScreen(tenant))

    def group_search(self, tenant: str) -> None:
        from screens.tenants.group_search import GroupSearchScreen

        self._app.push_screen(GroupSearchScreen(tenant))

    def sign_in(self, search: GroupSearch, then: Callable[[str], None]) -> None:
        from screens.tenants.sign_in_modal import SignInModal

        self._open(SignInModal(search), then)

    def one_tenant(self, what: str, then: Callable[[str], None]) -> None:
        from screens.tenants.picker import TenantPicker

        if not isinstance(self._app.screen, TenantPicker):
            self._open(TenantPicker(what, with_all=False), then)

    def inventory(self, tenant: str) -> None:
        """Show the kinds of the tenant's policies."""
        from screens.inventory.kinds import KindsScreen

        if not isinstance(self._app.screen, KindsScreen):
            self._app.push_screen(KindsScreen(tenant))

    def policies(self, tenant: str, kind: str) -> None:
        from screens.inventory.policies import PoliciesScreen

        self._app.push_screen(PoliciesScreen(tenant, kind))

    def policy(self, policy_id: int) -> None:
        from screens.inventory.policy import PolicyScreen

        self._app.push_screen(PolicyScreen(policy_id))

    def directory(self, tenant: str) -> None:
        """Show the tenant's cached groups."""
        from screens.directory.screen import DirectoryScreen

        if not isinstance(self._app.screen, DirectoryScreen):
            self._app.push_screen(DirectoryScreen(tenant))

    def group(self, group: DirectoryGroup) -> None:
        from screens.directory.group_modal import GroupModal

        self._app.push_screen(GroupModal(group))

    def drift(self, tenant: str) -> None:
        """Show the tenant's drift reports."""
        from screens.drift.reports import DriftReportsScreen

        if not isinstance(self._app.screen, DriftReportsScreen):
            self._app.push_screen(DriftReportsScreen(tenant))

    def drift_report(self, run_id: int) -> None:
        from screens.drift.report import DriftReportScreen

        self._app.push_screen(DriftReportScreen(run_id))

    def accept_drift(self, finding: ListedFinding) -> None:
        from screens.drift.accept_modal import AcceptModal

        self._app.push_screen(AcceptModal(finding))

    def schedules(self, tenant: str) -> None:
        """Show the tenant's schedules of backups."""
        from screens.schedules.screen import SchedulesScreen

        if not isinstance(self._app.screen, SchedulesScreen):
            self._app.push_screen(SchedulesScreen(tenant))

    def schedule_ticks(self, schedule: Schedule) -> None:
        from screens.schedules.ticks import TicksScreen

        self._app.push_screen(TicksScreen(schedule))

    def schedule_form(self, tenant: str, kinds: tuple[str, ...], schedule: Schedule | None, zone: str) -> None:
        from screens.schedules.form import ScheduleForm

        self._app.push_screen(ScheduleForm(tenant, kinds, schedule, zone))

    def backups(self, tenant: str) -> None:
        """Show the tenant's backup sets."""
        from screens.backups.sets import BackupSetsScreen

        if not isinstance(self._app.screen, BackupSetsScreen):
            self._app.push_screen(BackupSetsScreen(tenant))

    def backup_set(self, set_id: int) -> None:
        from screens.backups.set import BackupSetScreen

        self._app.push_screen(BackupSetScreen(set_id))

    def backup_item(self, item_id: int) -> None:
        from screens.backups.item import BackupItemScreen

        self._app.push_screen(BackupItemScreen(item_id))

    def restores(self, tenant: str) -> None:
        """Show the restores into the tenant."""
        from screens.restores.history import RestoresScreen

        if not isinstance(self._app.screen, RestoresScreen):
            self._app.push_screen(RestoresScreen(tenant))

    def restore(self, restore_id: int) -> None:
        from screens.restores.restore import RestoreScreen

        self._app.push_screen(RestoreScreen(restore_id))

    def restore_item(self, restore_id: int, item_id: int) -> None:
        from screens.restores.item import RestoreItemScreen

        self._app.push_screen(RestoreItemScreen(restore_id, item_id))

    def restore_mapping(self, restore_id: int) -> None:
        from screens.restores.mapping import MappingScreen

        self._app.push_screen(MappingScreen(restore_id))

    def group_choice(self, tenant: str, group: MappedGroup, then: Callable[[DirectoryGroup], None]) -> None:
        from screens.restores.group_choice import GroupChoiceModal

        self._open(GroupChoiceModal(tenant, group), then)

    def restore_candidates(self, restore_id: int, item_id: int, then: Callable[[str], None]) -> None:
        from screens.restores.candidates import CandidatesModal

        self._open(CandidatesModal(restore_id, item_id), then)

    def plan_restore(self, source: BackupSet, item: tuple[int, str] | None = None) -> None:
        from screens.restores.draft import Subject
        from screens.restores.form import RestoreForm

        self._app.push_screen(RestoreForm(Subject.of_set(source, item)))

    def change_restore(self, restore: Restore) -> None:
        from screens.restores.draft import Subject
        from screens.restores.form import RestoreForm

        self._app.push_screen(RestoreForm(Subject.of_restore(restore)))

    def execute_restore(self, restore_id: int) -> None:
        from screens.restores.confirm import ExecuteScreen

        self._app.push_screen(ExecuteScreen(restore_id))

    def help(self) -> None:
        """Show the keys of the screen on top."""
        from screens.dialogs.help import HelpModal

        if not isinstance(self._app.screen, HelpModal):
            self._app.push_screen(HelpModal(self._app.screen))

    def incident(self, detail: RunDetail) -> None:
        from screens.run.incident_card_modal import IncidentCardModal

        self._app.push_screen(IncidentCardModal(detail))

    def acknowledge(self, run_ids: Sequence[int], question: str, then: Callable[[tuple[Receipt, ...]], None]) -> None:
        from screens.dialogs.acknowledge import AcknowledgeModal

        self._open(AcknowledgeModal(run_ids, question), then)

    def confirm(self, question: str, then: Callable[[], None]) -> None:
        from screens.dialogs.confirm import ConfirmModal

        self._app.push_screen(ConfirmModal(question, then))

    def _open(self, screen: Screen[T], then: Callable[[T], None]) -> None:
        self._app.push_screen(screen, lambda result: None if result is None else then(result))

    def _open_once(self, kind: type[Screen[Any]]) -> None:
        if not isinstance(self._app.screen, kind):
            self._app.push_screen(kind())
