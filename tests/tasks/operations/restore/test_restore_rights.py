"""Who may restore what into which tenant, and what the record of a restore tells those who are members of its target alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import pytest
import sqlalchemy as sa

from store.errors import Forbidden, InputInvalid, NotFound
from store.intune import restores
from store.intune.restore_mappings import Decision
from store.intune.restore_records import Restore, Scope
from store.model.records import Outcome, Run, User
from store.model.tables import audit_events, backup_items, backup_sets, notifications, operation_runs, run_events
from store.people.access import Role
from store.runs import restoring
from store.runs.restoring import Confirmation
from tasks.graph.simulator import Fault
from tests.support.people import make_user
from tests.tasks.operations.restore.conftest import NAMES, Restoring, settings_policy, to_group
from tests.tasks.operations.restore.plans import filtered
from tests.tasks.operations.restore.steps import CATALOG

CONFIRMED: Final = Confirmation(NAMES["fabrikam"], reviewed=True)
Act = Callable[[Restoring, User, Restore], object]


def do(name: str, *arguments: object) -> Act:
    return lambda at, user, restore: getattr(restoring, name)(at.stage.db, user, restore.id, *arguments)


#: Everything that a person can do with a restore, by its name.
ACTS: Final[dict[str, Act]] = {
    "plan": lambda at, user, restore: restoring.plan(at.stage.db, user, restore.backup_set_id, "fabrikam", Scope()),
    "rescope": do("rescope", Scope(), "update"),
    "decide": do("decide", [Decision("g1", "skip")]),
    "suggest": do("suggest"),
    "choose": do("choose", {}),
    "tick": do("tick", []),
    "discard": do("discard"),
    "execute": do("execute", CONFIRMED),
    "resume": do("resume"),
    "dispatched preview": lambda at, user, restore: at.stage.dispatcher().preview_restore(user, restore.id),
    "dispatched execution": lambda at, user, restore: at.stage.dispatcher().execute_restore(
        user, restore.id, CONFIRMED
    ),
    "dispatched continuation": lambda at, user, restore: at.stage.dispatcher().continue_restore(user, restore.id),
}


@dataclass
class Planned:
    """A previewed restore from one tenant into another one."""

    at: Restoring
    restore: Restore

    def user(self, **roles: Role) -> User:
        return make_user(self.at.stage.db, **roles)


@pytest.fixture
def planned(restoring_: Restoring) -> Planned:
    at = restoring_
    at.put("contoso", CATALOG, **settings_policy("Firewall", assignments=[to_group("g1")]))
    at.groups("contoso", g1="Sales")
    at.groups("fabrikam", x1="Sales")
    at.worker()
    restore = at.plan(at.backup(CATALOG))
    at.preview(restore)
    return Planned(at, at.now(restore))


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.READONLY])
def test_who_is_no_manager_of_the_target_looks_and_does_nothing(planned: Planned, role: Role) -> None:
    at, before = planned.at, planned.restore
    user = planned.user(contoso=Role.OWNER, fabrikam=role)
    assert restores.visible(at.stage.db, user, before.id) == before
    for name, act in ACTS.items():
        with pytest.raises(Forbidden):
            act(at, user, before)
        assert at.now(before) == before, name
    with pytest.raises(Forbidden):
        at.stage.dispatcher().start(user, "fabrikam", "restore.preview", {"restore_run_id": before.id})
    assert at.there(CATALOG) == []


@pytest.mark.parametrize("roles", [{"fabrikam": Role.OWNER}, {"contoso": Role.OWNER}, {}], ids=str)
def test_for_a_member_of_one_tenant_alone_the_restore_does_not_exist(planned: Planned, roles: dict[str, Role]) -> None:
    at, before = planned.at, planned.restore
    user = planned.user(**roles)
    with pytest.raises(NotFound):
        restores.visible(at.stage.db, user, before.id)
    for name, act in ACTS.items():
        with pytest.raises(NotFound) as found:
            act(at, user, before)
        assert "Firewall" not in f"{found.value} {found.value.hint}", name
        assert at.now(before) == before, name


def test_to_see_the_source_is_enough_to_restore_from_it(planned: Planned) -> None:
    at = planned.at
    user = planned.user(contoso=Role.READONLY, fabrikam=Role.MANAGER)
    started = at.stage.dispatcher().execute_restore(user, planned.restore.id, CONFIRMED)
    assert started.run.user_id == user.id
    assert at.stage.completed(started.run.id).outcome is Outcome.SUCCEEDED


def test_a_preview_that_is_started_by_its_number_finds_no_more(planned: Planned) -> None:
    """The operation takes any number, so the worker asks again whose restore that is."""
    at, before = planned.at, planned.restore
    outsider = planned.user(fabrikam=Role.OWNER)
    for user, tenant in ((outsider, "fabrikam"), (at.stage.user, "contoso")):
        started = at.stage.dispatcher().start(user, tenant, "restore.preview", {"restore_run_id": before.id})
        run = at.stage.completed(started.run.id)
        assert run.outcome is Outcome.FAILED
        assert "no restore" in run.failure_summary[0].message
        assert at.now(before) == before


def test_an_item_and_a_group_of_another_restore_cannot_be_named(planned: Planned) -> None:
    at, restore = planned.at, planned.restore
    db, user = at.stage.db, at.stage.user
    at.put("contoso", "scripts", displayName="x", fileName="x", scriptContent="eA==", assignments=[])
    other = at.plan(at.backup("scripts"))
    with db.read() as connection:
        (item,) = restores.items_of(connection, other.id)
    acts: list[Callable[[], Restore]] = [
        lambda: restoring.choose(db, user, restore.id, {item.id: {"skip": True}}),
        lambda: restoring.plan(db, user, restore.backup_set_id, "fabrikam", Scope(items=(item.backup_item_id,))),
        lambda: restoring.decide(db, user, other.id, [Decision("g1", "skip")]),
        lambda: restoring.decide(db, user, restore.id, [Decision("g1", "map", "g1")]),
    ]
    for act in acts:
        with pytest.raises(InputInvalid):
            act()
    assert at.now(restore) == restore


# ---- what is told

SECRETS: Final = ("Geheimrichtlinie", "Geheimgruppe", "Geheimfilter", "Geheimkennung", "Geheimtext")


def test_a_member_of_the_target_alone_learns_no_name_of_the_source(restoring_: Restoring) -> None:
    at = restoring_
    at.put("contoso", "scope_tags", id="7", displayName="Geheimkennung", description="Geheimtext", isBuiltIn=False)
    body = {"platform": "windows10AndLater", "rule": '(device.model -eq "Geheimtext")'}
    at.put("contoso", "assignment_filters", id="f1", displayName="Geheimfilter", roleScopeTags=["0", "7"], **body)
    for name, more in (
        ("Geheimrichtlinie A", {"assignments": [to_group("g1"), filtered("g2", "f1")]}),
        ("Geheimrichtlinie B", {"assignments": [], "roleScopeTagIds": ["7"]}),
        ("Geheimrichtlinie C", {"assignments": [filtered("g2", "f1")]}),
    ):
        at.put("contoso", CATALOG, **settings_policy(name, "Geheimtext", **more))
    at.groups("contoso", g1="Geheimgruppe 1", g2="Geheimgruppe 2")
    at.groups("fabrikam", x2="Vertrieb")
    at.worker()
    restore = at.plan(at.backup(CATALOG, "assignment_filters", "scope_tags"))
    restore = at.decide(restore, g1=None, g2="x2")
    runs = [at.preview(restore)]
    at.faults(
        Fault("assignmentFilters", method="POST", status=400), Fault("configurationPolicies", after=4, status=403)
    )
    runs.append(at.execute(restore))
    assert runs[-1].outcome in (Outcome.PARTIALLY_SUCCEEDED, Outcome.FAILED)
    assert len({one.result for one in at.items(restore).values()}) > 1
    told = _told_in(at, "fabrikam", runs)
    assert "item " in told
    assert [word for word in SECRETS if word in told] == []


def _told_in(at: Restoring, tenant: str, runs: list[Run]) -> str:
    """All that the database has for the members of a tenant about its runs."""
    with at.stage.db.read() as connection:
        id_ = connection.execute(
            sa.select(operation_runs.c.tenant_id).where(operation_runs.c.id == runs[0].id)
        ).scalar_one()
        queries = [
            sa.select(operation_runs).where(operation_runs.c.tenant_id == id_),
            sa.select(run_events).where(run_events.c.run_id.in_([run.id for run in runs])),
            sa.select(notifications).where(notifications.c.run_id.in_([run.id for run in runs])),
            sa.select(audit_events).where(audit_events.c.tenant_id == id_),
            sa.select(backup_sets).where(backup_sets.c.tenant_id == id_),
            sa.select(backup_items).join(backup_sets).where(backup_sets.c.tenant_id == id_),
        ]
        return "\n".join(str(row) for query in queries for row in connection.execute(query))
