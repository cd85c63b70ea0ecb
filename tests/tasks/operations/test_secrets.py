"""No token, secret or key that the syncs work with is in a table, a message or a log, whether they succeed or fail."""

from __future__ import annotations

import pytest

from store.model.records import Outcome
from tasks.graph.simulator import Fault, secret
from tests.tasks.operations.conftest import Sync

SYNCS = ("inventory.sync", "policy.sync", "directory_groups.sync")


def check(sync: Sync, log: str, *more: str) -> None:
    tokens = list(sync.simulator.tokens)
    assert tokens, "somebody signed in"
    held = sync.stage.everything()
    for hidden in (*tokens, *more, "simulated-psk", "simulated-key", "Bearer simulated"):
        assert hidden not in held
        assert hidden not in log


@pytest.mark.worker
def test_a_secret_and_its_tokens_are_kept_nowhere(sync: Sync) -> None:
    worker = sync.worker()
    for type_ in SYNCS:
        assert sync.run(type_).outcome is Outcome.SUCCEEDED
    sync.faults(
        Fault("/deviceManagement", status=403, count=None),
        Fault("/deviceAppManagement", status=400, count=None),
        Fault("/groups", status=400, count=None),
    )
    for type_ in SYNCS:
        assert sync.run(type_).outcome is Outcome.FAILED
    worker.stop()
    assert worker.exit_code() == 0
    check(sync, worker.log, secret("contoso"))
