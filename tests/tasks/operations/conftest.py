"""A simulated tenant, and a worker that may read it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import sqlalchemy as sa

from store.model.records import Run
from store.model.tables import policies
from tasks.graph.resources import KINDS
from tasks.graph.simulator import CLIENT_ID, Fault, SimulatedTenant, Simulator, directory_id, secret, synthetic
from tests.support.worker import WorkerProcess
from tests.tasks.conftest import WorkerHarness

POLICIES = 420
Key = tuple[str, str]


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator([synthetic("contoso", 7, POLICIES)], page_size=20) as simulator:
        yield simulator


@dataclass
class Sync:
    """A worker that may read the simulated tenant."""

    stage: WorkerHarness
    simulator: Simulator

    @property
    def tenant(self) -> SimulatedTenant:
        return self.simulator.tenant("contoso")

    def worker(self, client_secret: str = secret("contoso"), **more: str) -> WorkerProcess:
        address = {"graph_url": self.simulator.url, "graph_authority": self.simulator.url}
        app = {"directory_id": directory_id("contoso"), "client_id": CLIENT_ID, "client_secret": client_secret} | more
        return self.stage.worker(**address, **{f"credentials_contoso_{name}": value for name, value in app.items()})

    def run(self, type_: str = "inventory.sync", **parameters: object) -> Run:
        return self.stage.completed(self.stage.start(type_, **parameters).id)

    def faults(self, *faults: Fault) -> None:
        self.simulator.faults.clear()
        for fault in faults:
            self.simulator.faults.add(fault)

    def actual(self) -> set[Key]:
        """What the tenant has."""
        return {(kind.name, str(item["id"])) for kind in KINDS for item in self.tenant.listed(kind.name)}

    def known(self) -> list[Key]:
        """What the table says that it has, doubles included."""
        query = sa.select(policies.c.kind, policies.c.external_id).where(policies.c.missing_since.is_(None))
        with self.stage.db.read() as connection:
            return sorted((kind, id_) for kind, id_ in connection.execute(query))

    def missing(self) -> set[Key]:
        query = sa.select(policies.c.kind, policies.c.external_id).where(policies.c.missing_since.is_not(None))
        with self.stage.db.read() as connection:
            return {(kind, id_) for kind, id_ in connection.execute(query)}


@pytest.fixture
def sync(stage: WorkerHarness, simulator: Simulator) -> Sync:
    return Sync(stage, simulator)


def codes(run: Run) -> list[str]:
    return [failure.code for failure in run.failure_summary]
