"""Steps of a restore that the tests of cases share."""

from __future__ import annotations

from typing import Any, Final

from store.intune.restore_records import Restore
from store.model.records import Outcome, Run
from store.runs import restoring
from tests.tasks.operations.cases import Body
from tests.tasks.operations.restore.conftest import Restoring

CATALOG: Final = "configuration_policies"


def skip(at: Restoring, restore: Restore, *names: str) -> None:
    items = at.items(restore)
    restoring.choose(at.stage.db, at.stage.user, restore.id, {items[name].id: {"skip": True} for name in names})


def tick(at: Restoring, restore: Restore, *ticks: str) -> None:
    restoring.tick(at.stage.db, at.stage.user, restore.id, ticks)


def again(at: Restoring, restore: Restore) -> Run:
    """A retry: previewed again first."""
    assert at.preview(restore).outcome is Outcome.SUCCEEDED
    return at.execute(restore)


def by_name(at: Restoring, kind: str, tenant: str = "fabrikam") -> dict[str, Body]:
    return {str(one.get("displayName") or one.get("name")): one for one in at.there(kind, tenant)}


def previewed(at: Restoring, *kinds: str, **more: Any) -> Restore:
    """What the source has of some kinds, backed up, and previewed with the suggested groups; the others are skipped."""
    at.worker()
    restore = at.skip_unresolved(at.plan(at.backup(*kinds), **more))
    run = at.preview(restore)
    assert run.outcome is Outcome.SUCCEEDED, run
    return restore
