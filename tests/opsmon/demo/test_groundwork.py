"""The groundwork: every step is possible, and the screens have something to show of each subject."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsmon.demo import demo
from opsmon.demo.groundwork import Groundwork
from opsmon.embedded import worker as embedded_worker
from opsmon.services import Services
from opsmon.settings import load
from store.errors import InputInvalid
from store.intune import backup_sets, drift_page, restore_listing
from store.intune.drift_page import ReportWanted
from store.intune.restore_records import RestoreState
from store.model.records import Outcome, Run, Status, User
from store.people import access
from store.people.access import read_memberships
from store.runs import lifecycle, restoring
from store.search import matching
from store.search.filter import parse
from tests.support.waiting import HANG, wait_for

pytestmark = [pytest.mark.worker, pytest.mark.usefixtures("quick_workers")]


@pytest.fixture
def staged(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Services, User]]:
    monkeypatch.setattr(demo, "SIMULATOR_SECONDS", HANG)
    monkeypatch.setattr(demo, "FAULTS", demo.FAULTS[:1])  # nobody is throttled: that takes its time
    monkeypatch.setattr(embedded_worker, "FIRST_LOOK", 0.0)
    with tempfile.TemporaryDirectory(prefix="d-") as folder:
        monkeypatch.setenv("TMPDIR", folder)
        monkeypatch.setattr(tempfile, "tempdir", None)
        with demo.stage() as (_, user):
            services = Services(load())  # the simulator's address is known by now
            yield services, user
            services.close()
        assert list(Path(folder).iterdir()) == []
    monkeypatch.setattr(tempfile, "tempdir", None)


def carry_out(services: Services) -> list[Run]:
    operator, manager = (access.find_user(services.db, login) for login in ("alice", "bob"))
    done = []
    for run in Groundwork(services, operator, manager).steps():

        def completed(run_id: int = run.id) -> Run | None:
            found = lifecycle.get(services.db, run_id)
            return found if found and found.status is Status.COMPLETED else None

        done.append(wait_for(completed))
    return done


def test_there_is_something_of_everything(staged: tuple[Services, User]) -> None:
    services, user = staged
    db = services.db
    runs = carry_out(services)
    assert {run.outcome for run in runs} == {Outcome.SUCCEEDED}
    with db.read() as connection:
        sets = backup_sets.newest(connection, read_memberships(connection, user.id), 10)
    assert [one.name for one in sets] == ["For Contoso", "After the change of ring 1", "Before the change of ring 1"]
    (drift,) = [run for run in runs if run.type == "drift.generate"]
    assert drift_findings(services, user, drift) >= 6
    foreign, own = restore_listing.listing(db, user, None, 10)
    assert (foreign.status, own.status) == (RestoreState.SCOPED, RestoreState.PREVIEWED)
    manager = access.find_user(db, "bob")
    with pytest.raises(InputInvalid, match="not decided on"):
        restoring.require_previewable(db, manager, foreign.id)
    failed = matching.all_matching(db, user.id, parse(["outcome:failed", "since:36h"]), "All", 50).ids
    acknowledged = [run_id for run_id in failed if (run := lifecycle.get(db, run_id)) and run.acknowledged_at]
    assert 0 < len(acknowledged) < len(failed)


def drift_findings(services: Services, user: User, run: Run) -> int:
    with services.db.read() as connection:
        detail = drift_page.detail(connection, read_memberships(connection, user.id), ReportWanted(run.id))
    return len(detail.findings)
