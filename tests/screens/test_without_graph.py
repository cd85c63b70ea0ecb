"""With every call to Graph made to raise, all screens work: they read the database and nothing else."""

from __future__ import annotations

from typing import NoReturn

import httpx
import pytest

from screens.backups.sets import BackupSetsScreen
from screens.directory.screen import DirectoryScreen
from screens.drift.reports import DriftReportsScreen
from screens.inbox.screen import InboxScreen
from screens.inventory.kinds import KindsScreen
from screens.monitor import Monitor
from screens.restores.history import RestoresScreen
from screens.run.screen import RunScreen
from screens.runs.failure_groups import FailureGroupsScreen
from screens.runs.screen import RunsScreen
from screens.schedules.screen import SchedulesScreen
from screens.tenants.screen import TenantScreen
from screens.workers.screen import WorkersScreen
from store.people import access
from tasks.graph.client import GraphClient
from tests.screens.conftest import LiveHarness, polls, running, toasts, until
from tests.support import people

pytestmark = pytest.mark.anyio

OPENED = {
    "": RunsScreen,
    "enter": RunScreen,
    "n": InboxScreen,
    "w": WorkersScreen,
    "F": FailureGroupsScreen,
    "i": KindsScreen,
    "D": DirectoryScreen,
    "C": DriftReportsScreen,
    "S": SchedulesScreen,
    "B": BackupSetsScreen,
    "T": TenantScreen,
    "X": RestoresScreen,
}


def refuse(*_: object, **__: object) -> NoReturn:
    raise AssertionError("a screen called Graph")


@pytest.mark.parametrize("key", OPENED)
async def test_screens_never_call_graph(house: LiveHarness, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setattr(GraphClient, "__init__", refuse)
    monkeypatch.setattr(httpx.Client, "__init__", refuse)
    monkeypatch.setattr(httpx.Client, "send", refuse)
    tenant = access.require_right(house.db, house.users["ann"], "contoso", access.Right.VIEW)
    people.end_run(house.db, people.start_run(house.db, tenant), people.FAILED)
    monitor = Monitor(house.backend("ann"))
    async with running(monitor, (120, 40)) as pilot:
        await until(pilot, lambda: monitor.snapshot, "the first snapshot")
        monitor.choose_tenant("contoso")
        await polls(pilot)
        if key:
            await pilot.press(key)
        await until(pilot, lambda: isinstance(monitor.screen, OPENED[key]), "the screen")
        await polls(pilot)
        await polls(pilot)
        assert monitor.snapshot is not None
        assert not toasts(monitor)
