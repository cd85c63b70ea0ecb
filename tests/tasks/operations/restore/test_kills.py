"""A restore whose worker is killed, or whose answers are lost, at every write: nothing is doubled, and all is known."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from store.intune.restore_records import Restore, RestoreState
from store.model.records import Outcome
from tasks.graph.canonical import canonical, canonical_assignments
from tasks.graph.resources import BY_NAME
from tasks.graph.simulator import writing
from tasks.graph.simulator.request import GraphError, Reply
from tests.support.properties import is_whole
from tests.support.waiting import wait_for
from tests.support.worker import WorkerProcess
from tests.tasks.operations.cases import typed
from tests.tasks.operations.restore.conftest import Restoring, settings_policy, to_group

Moment = Literal["before", "after"]
TEMPLATE = "11111111-2222-3333-4444-555555555555"
#: The writes of the restore below: a filter, a template with two messages, a compliance policy and its assignments, a policy
#: that is changed and assigned anew, one that is made and assigned.
WRITES = 10
KINDS = ("assignment_filters", "notification_templates", "compliance_policies", "configuration_policies")


@dataclass
class Interruption:
    """Does something at a write of the simulator: before it is carried out (then it is not), or after (its answer is lost)."""

    at: int
    moment: Moment
    act: Callable[[], None]
    writes: list[tuple[str, str]] = field(default_factory=list)

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        change = writing.change

        def interrupted(tenant: Any, request: Any) -> Reply:
            self.writes.append((request.method, request.path))
            if len(self.writes) - 1 != self.at:
                return change(tenant, request)
            if self.moment == "before":
                self.act()
                raise GraphError(503)
            reply = change(tenant, request)
            self.act()
            return reply

        monkeypatch.setattr(writing, "change", interrupted)


def scene(at: Restoring) -> int:
    """A backup of objects that refer to each other; the target has one of them already, otherwise."""
    filter_ = at.put(
        "contoso",
        "assignment_filters",
        displayName="Windows",
        platform="windows10AndLater",
        rule="(x)",
        roleScopeTags=["0"],
    )
    messages = [
        {"id": f"m{n}", "locale": locale, "subject": "S", "messageTemplate": "M", "isDefault": n == 0}
        for n, locale in enumerate(("de-de", "en-us"))
    ]
    at.put(
        "contoso",
        "notification_templates",
        id=TEMPLATE,
        displayName="Mail",
        brandingOptions="none",
        defaultLocale="de-de",
        roleScopeTagIds=["0"],
        localizedNotificationMessages=messages,
    )
    actions = [
        {"actionType": "block", "gracePeriodHours": 0, "notificationTemplateId": "", "notificationMessageCCList": []},
        {
            "actionType": "notification",
            "gracePeriodHours": 1,
            "notificationTemplateId": TEMPLATE,
            "notificationMessageCCList": ["g1"],
        },
    ]
    rules = [{"ruleName": None, "scheduledActionConfigurations": actions}]
    at.put(
        "contoso",
        "compliance_policies",
        **typed("windows10CompliancePolicy", displayName="PIN", roleScopeTagIds=["0"]),
        scheduledActionsForRule=rules,
        assignments=[to_group("g1", filter_)],
    )
    at.put("contoso", "configuration_policies", **settings_policy("Old"), assignments=[to_group("g1")])
    at.put(
        "contoso",
        "configuration_policies",
        **settings_policy("New"),
        assignments=[to_group("g1"), to_group("g2", exclude=True)],
    )
    at.put("fabrikam", "configuration_policies", **settings_policy("Old", "otherwise"), assignments=[])
    at.groups("contoso", g1="Sales", g2="Pilot")
    at.groups("fabrikam", x1="Sales", x2="Pilot")
    return at.backup(*KINDS)


def state(at: Restoring) -> list[tuple[str, Any, Any]]:
    """What the target has, without what is its own: ids, and the ids of what it has made."""
    ids = {str(one["id"]): f"{kind} {one.get('displayName')}" for kind in KINDS for one in at.there(kind)}
    found = []
    for kind in KINDS:
        for one in at.there(kind):
            assigned = canonical_assignments({"assignments": one.pop("assignments", [])})
            found.append((kind, _renamed(canonical(BY_NAME[kind], one), ids), _renamed(assigned, ids)))
    return sorted(found, key=repr)


def _renamed(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _renamed(one, ids) for key, one in value.items()}
    if isinstance(value, list):
        return [_renamed(one, ids) for one in value]
    return ids.get(value, value) if isinstance(value, str) else value


def begun(at: Restoring) -> tuple[Restore, WorkerProcess]:
    """A previewed restore, and the worker."""
    worker = at.worker()
    restore = at.plan(scene(at), mode="update")
    preview = at.preview(restore)
    assert preview.outcome is Outcome.SUCCEEDED, preview
    assert sorted(str(one.action) for one in at.items(restore).values()) == ["create"] * 4 + ["update"]
    return restore, worker


def expected(at: Restoring) -> list[tuple[str, Any, Any]]:
    """What the target has after the restore: what the source has, with its groups mapped."""
    groups = {"g1": "x1", "g2": "x2"}
    ids = {str(one["id"]): f"{kind} {one.get('displayName')}" for kind in KINDS for one in at.there(kind, "contoso")}
    found = []
    for kind in KINDS:
        for one in at.there(kind, "contoso"):
            assigned = canonical_assignments({"assignments": one.pop("assignments", [])})
            found.append(
                (kind, _renamed(canonical(BY_NAME[kind], one), ids | groups), _renamed(assigned, ids | groups))
            )
    return sorted(found, key=repr)


def moments() -> list[tuple[int, Moment]]:
    every: list[tuple[int, Moment]] = [(n, moment) for n in range(WRITES) for moment in ("before", "after")]
    return every if is_whole() else [(0, "after"), (2, "before"), (6, "after"), (8, "after")]


def test_undisturbed_it_sends_so_many_writes(restoring_: Restoring, monkeypatch: pytest.MonkeyPatch) -> None:
    restore, _ = begun(restoring_)
    count = Interruption(-1, "before", lambda: None)
    count.install(monkeypatch)
    run = restoring_.execute(restore)
    assert run.outcome is Outcome.SUCCEEDED, run
    assert state(restoring_) == expected(restoring_)
    assert len(count.writes) == WRITES, count.writes


@pytest.mark.parametrize(("number", "moment"), moments())
def test_a_worker_that_is_killed_at_a_write_leaves_what_a_retry_goes_on_with(
    restoring_: Restoring, monkeypatch: pytest.MonkeyPatch, number: int, moment: Moment
) -> None:
    at = restoring_
    restore, worker = begun(at)
    killed = threading.Event()

    def kill() -> None:
        worker.kill()
        killed.set()

    Interruption(number, moment, kill).install(monkeypatch)
    run = at.executing(restore)
    wait_for(killed.is_set, "the write at which the worker is killed", seen=at.stage.logs)
    at.stage.silence(worker)
    at.worker()
    lost = at.stage.completed(run.id)
    assert [one.code for one in lost.failure_summary][-1] == "worker.lost"
    assert at.now(restore).status is RestoreState.FAILED
    done = {name: one for name, one in at.items(restore).items() if one.result == "done"}

    again = at.preview(restore)
    assert again.outcome is Outcome.SUCCEEDED, again
    assert {name: one for name, one in at.items(restore).items() if one.result == "done"} == done
    run = at.execute(restore)
    assert run.outcome is Outcome.SUCCEEDED, (run, at.items(restore))
    assert run.retry_of_id == lost.id
    assert state(at) == expected(at)
    assert at.results(restore) == {"done": 5}


@pytest.mark.parametrize("number", range(WRITES) if is_whole() else (0, 1, 3, 8))
def test_an_answer_that_is_lost_is_looked_for(restoring_: Restoring, number: int) -> None:
    at = restoring_
    restore, _ = begun(at)
    at.lose_answer(number)
    run = at.execute(restore)
    assert run.outcome is Outcome.SUCCEEDED, (run, at.items(restore))
    assert state(at) == expected(at)
