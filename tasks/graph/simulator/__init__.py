"""Simulator of Microsoft Graph for Intune tenants, over real HTTP: for the demo, for tests, and for trying out
operations.

    python -m tasks.graph.simulator --port 8080 --tenant contoso=seed:7,policies:300 --tenant fabrikam=folder:./export

`opsmon simulate` is the same for people; docs/simulator.md tells everything. It listens on 127.0.0.1 only. An app signs in
with the client id `opsmon` and the secret `simulated-<directory id>`.
"""

from __future__ import annotations

from tasks.graph.simulator.faults import Fault
from tasks.graph.simulator.folders import from_folder
from tasks.graph.simulator.server import Simulator
from tasks.graph.simulator.synthetic import synthetic
from tasks.graph.simulator.tenants import CLIENT_ID, DELEGATED_CLIENT_ID, SimulatedTenant, directory_id, secret

__all__ = [
    "CLIENT_ID",
    "DELEGATED_CLIENT_ID",
    "Fault",
    "SimulatedTenant",
    "Simulator",
    "directory_id",
    "from_folder",
    "secret",
    "synthetic",
]
