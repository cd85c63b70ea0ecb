"""Two simulated tenants, a manager of both, and a worker that may read and write them."""

from __future__ import annotations

import copy
import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from store.intune import directory, restore_mappings, restores
from store.intune.restore_mappings import Decision
from store.intune.restore_records import Restore, RestoreItem, Scope
from store.model.records import Run
from store.model.tables import backup_sets
from store.people import admin
from store.people.access import Right, Role, require_right
from store.runs import lifecycle, outcome, restoring
from store.runs.restoring import Confirmation
from tasks.graph.simulator import CLIENT_ID, Fault, SimulatedTenant, Simulator, directory_id, secret
from tests.support.people import open_run
from tests.support.worker import WorkerProcess
from tests.tasks.conftest import WorkerHarness
from tests.tasks.operations.cases import Body, assigned, settings, simple

NAMES = {"contoso": "Contoso", "fabrikam": "Fabrikam"}


@dataclass
class Restoring:
    """A worker for both tenants, and what is needed to restore from one into the other."""

    stage: WorkerHarness
    simulator: Simulator

    @property
    def source(self) -> SimulatedTenant:
        return self.simulator.tenant("contoso")

    @property
    def target(self) -> SimulatedTenant:
        return self.simulator.tenant("fabrikam")

    def worker(self, **more: str) -> WorkerProcess:
        settings = {"graph_url": self.simulator.url, "graph_authority": self.simulator.url}
        for slug in NAMES:
            app = {"directory_id": directory_id(slug), "client_id": CLIENT_ID, "client_secret": secret(slug)}
            settings |= {f"credentials_{slug}_{name}": value for name, value in app.items()}
        return self.stage.worker(**settings, **more)

    def put(self, tenant: str, kind: str, **body: Any) -> str:
        """An object in a simulated tenant. Returns its id."""
        return self.simulator.tenant(tenant).put(kind, dict(body))

    def groups(self, tenant: str, **groups: str) -> None:
        """Groups that a tenant has, and that its cached directory knows: ids and names."""
        page = [{"id": id_, "displayName": name, "securityEnabled": True} for id_, name in groups.items()]
        for group in page:
            self.simulator.tenant(tenant).put("groups", group)
        db, found = self.stage.db, require_right(self.stage.db, self.stage.user, tenant, Right.VIEW)
        run = open_run(db, found)
        round_ = directory.begin_round(db, found.id, run.id)
        directory.apply(db, found.id, round_, page)
        directory.end_round(db, found.id, run.id, round_, "https://graph/delta", complete=True)
        lifecycle.fail_dispatch(db, run.id, outcome.failure("queue.dispatch_failed"))

    def backup(self, *kinds: str) -> int:
        """Back the source up. Returns the number of the set."""
        run = self.stage.completed(self.stage.start("backup_set.create", kinds=list(kinds) or None).id)
        with self.stage.db.read() as connection:
            return int(
                connection.execute(sa.select(backup_sets.c.id).where(backup_sets.c.run_id == run.id)).scalar_one()
            )

    def plan(self, set_id: int, tenant: str = "fabrikam", mode: Any = "create", **scope: Any) -> Restore:
        return restoring.plan(self.stage.db, self.stage.user, set_id, tenant, Scope(**scope), mode, "planned change")

    def decide(self, restore: Restore, **decisions: str | None) -> Restore:
        """Map groups of the source to ids of the target; None skips one."""
        made = [Decision(id_, "map" if to else "skip", to) for id_, to in decisions.items()]
        return restoring.decide(self.stage.db, self.stage.user, restore.id, made)

    def skip_unresolved(self, restore: Restore) -> Restore:
        with self.stage.db.read() as connection:
            found = restore_mappings.mapped(connection, restore.id)
        made = [Decision(one.source_id, "skip", None) for one in found if one.decision == "unresolved"]
        return restoring.decide(self.stage.db, self.stage.user, restore.id, made) if made else restore

    def preview(self, restore: Restore) -> Run:
        return self.stage.completed(self.stage.dispatcher().preview_restore(self.stage.user, restore.id).run.id)

    def execute(self, restore: Restore, *, dry_run: bool = False) -> Run:
        return self.stage.completed(self.executing(restore, dry_run=dry_run).id)

    def executing(self, restore: Restore, *, dry_run: bool = False) -> Run:
        """Execute, and do not wait for the end."""
        confirmed = Confirmation(NAMES[restore.tenant], reviewed=True, dry_run=dry_run)
        return self.stage.dispatcher().execute_restore(self.stage.user, restore.id, confirmed).run

    def lose_answer(self, number: int) -> None:
        """Break the answer to a write off, that of the so-manieth from 0, after it was carried out."""
        left = itertools.count()
        strike = self.simulator.faults.strike

        def struck(path: str, tenant: str = "", method: str = "GET", query: str = "") -> Fault | None:
            is_write = method != "GET" and path.startswith("/beta/device")
            return Fault(break_off=True) if is_write and next(left) == number else strike(path, tenant, method, query)

        self.simulator.faults.strike = struck  # type: ignore[method-assign]

    def restored(
        self, set_id: int, tenant: str = "fabrikam", mode: Any = "create", **scope: Any
    ) -> tuple[Restore, Run]:
        """Plan, preview and execute, with the suggested groups; the others are skipped."""
        restore = self.skip_unresolved(self.plan(set_id, tenant, mode, **scope))
        self.preview(restore)
        run = self.execute(restore)
        return self.now(restore), run

    def now(self, restore: Restore) -> Restore:
        return restores.visible(self.stage.db, self.stage.user, restore.id)

    def items(self, restore: Restore) -> dict[str, RestoreItem]:
        """The items by the name of their objects."""
        with self.stage.db.read() as connection:
            return {one.name: one for one in restores.items_of(connection, restore.id)}

    def actions(self, restore: Restore) -> Counter[str | None]:
        return Counter(one.action for one in self.items(restore).values())

    def results(self, restore: Restore) -> Counter[str | None]:
        return Counter(one.result for one in self.items(restore).values())

    def there(self, kind: str, tenant: str = "fabrikam") -> list[Body]:
        """The objects of a kind in a simulated tenant."""
        return [copy.deepcopy(dict(one)) for one in self.simulator.tenant(tenant).objects[kind].values()]

    def faults(self, *faults: Fault) -> None:
        self.simulator.faults.clear()
        for fault in faults:
            self.simulator.faults.add(fault)


def make_restoring(stage: WorkerHarness, simulator: Simulator) -> Restoring:
    admin.add_tenant(stage.db, "fabrikam", NAMES["fabrikam"])
    for slug in NAMES:
        admin.grant(stage.db, "ann", slug, Role.MANAGER)
    return Restoring(stage, simulator)


@pytest.fixture
def two_tenants() -> Iterator[Simulator]:
    with Simulator([SimulatedTenant("contoso"), SimulatedTenant("fabrikam")], page_size=20) as simulator:
        yield simulator


@pytest.fixture
def restoring_(stage: WorkerHarness, two_tenants: Simulator) -> Restoring:
    return make_restoring(stage, two_tenants)


def to_group(id_: str, filter_: str = "", *, exclude: bool = False) -> Body:
    """An assignment as beta gives it: it says whether it has a filter."""
    made = assigned(id_, exclude=exclude)
    made["target"] |= {
        "deviceAndAppManagementAssignmentFilterId": filter_ or None,
        "deviceAndAppManagementAssignmentFilterType": "include" if filter_ else "none",
    }
    return made


def settings_policy(name: str, value: str = "on", **more: Any) -> Mapping[str, Any]:
    """A small policy of the settings catalog."""
    body = {
        "name": name,
        "description": "",
        "platforms": "windows10",
        "technologies": "mdm",
        "roleScopeTagIds": ["0"],
        "settings": settings(simple("device_x", value)),
    }
    return body | more
