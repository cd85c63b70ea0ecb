"""The dry run of many retries: it writes nothing, and what it foretells is what the retries then come to."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.errors import Forbidden, InputInvalid, NotFound, OpsmonError, RunChanged
from store.model.records import Outcome, Run, Status, Tenant
from store.model.tables import operation_runs
from store.people import access, admin
from store.people.access import Role
from store.runs import lifecycle
from store.runs.seeding import SeedRun, seed_runs
from tasks.dispatch import DryRunResult, Receipt, Started, Verdict
from tasks.sdk.operation import Operation
from tests.store.test_plans import sent_statements
from tests.support import people
from tests.tasks.conftest import WorkerHarness

#: ann's role in each tenant; she is no member of the last.
ROLES = {"contoso": Role.OPERATOR, "fabrikam": Role.READONLY, "secret": None}
ABSENT = 10**12


class RetryHarness:
    """A stage with runs in all states, in tenants where ann may retry, look, or know nothing."""

    def __init__(self, stage: WorkerHarness) -> None:
        self.stage = stage
        self.db, self.dispatcher, self.ann = stage.db, stage.dispatcher(), stage.user
        self.tenants: dict[str, Tenant] = {}
        for slug, role in ROLES.items():
            if slug != "contoso":
                admin.add_tenant(self.db, slug)
            if role:
                admin.grant(self.db, "ann", slug, role)
        owner = people.make_user(self.db, "owner")
        for slug in ROLES:
            admin.grant(self.db, owner.login, slug, Role.OWNER)
            self.tenants[slug] = access.require_right(self.db, owner, slug, access.Right.VIEW)

    def make(self, tenant: str, type_: str, parameters: dict[str, Any], status: Status) -> Run:
        """A run as it might stand in the table; an active one may be the twin that is there already."""
        place = self.tenants[tenant]
        operation = self.stage.registry.operations.get(type_)
        key = parameters.get("key", "")
        identity = operation.identity_in(place.id, {"name": "x", "key": key}) if operation else f"{type_}{key}"
        run, _ = lifecycle.create_or_attach(
            self.db,
            people.new_run(place, self.ann, type=type_, context={"parameters": parameters}, run_identity_hash=identity),
        )
        if status is Status.COMPLETED:
            return people.end_run(self.db, run, people.FAILED)
        if status is Status.RUNNING and run.status is Status.QUEUED:
            return lifecycle.claim(self.db, run.id, people.make_worker(self.db)) or run
        return run

    def failed(self, key: str, tenant: str = "contoso") -> Run:
        return self.make(tenant, "test.mark", {"name": "x", "key": key}, Status.COMPLETED)

    def rehearse(self, *ids: int) -> tuple[DryRunResult, ...]:
        return self.dispatcher.dry_run_retries(self.ann, ids)


@pytest.fixture
def street(stage: WorkerHarness) -> RetryHarness:
    return RetryHarness(stage)


MADE = st.tuples(
    st.sampled_from([*["contoso"] * 4, "fabrikam", "secret"]),
    st.sampled_from([*["test.mark"] * 6, "test.gone"]),
    st.integers(0, 3),
    st.sampled_from([*[Status.COMPLETED] * 4, Status.QUEUED, Status.RUNNING]),
    st.sampled_from([*["fine"] * 5, "dropped", "wrong"]),
)
examples = iter(range(10**6))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(MADE, min_size=1, max_size=9), st.randoms(use_true_random=False))
def test_what_it_foretells_is_what_comes(street: RetryHarness, made: list[Any], random: Any) -> None:
    example = next(examples)
    ids = [ABSENT]
    for tenant, type_, key, status, how in sorted(made, key=lambda one: one[3] is not Status.COMPLETED):
        odd: dict[str, Any] = {"fine": {}, "dropped": {"of_before": 1}, "wrong": {"name": 7}}[how]
        parameters = {"name": "x", "key": f"{example}-{key}"} | odd
        ids.append(street.make(tenant, type_, parameters, status).id)
    random.shuffle(ids)
    before = street.stage.everything(), street.stage.queue.waiting(10**6)
    foretold = street.rehearse(*ids)
    assert (street.stage.everything(), street.stage.queue.waiting(10**6)) == before
    assert [one.run_id for one in foretold] == ids
    assert Counter(one.verdict for one in foretold).total() == len(ids)
    come: dict[int, int] = {}
    for one in foretold:
        _assert_comes(street, one, come)


def _retry(street: RetryHarness, one: DryRunResult) -> Started | OpsmonError:
    try:
        return street.dispatcher.retry(street.ann, one.run_id, seen=one.run)
    except OpsmonError as error:
        return error


def _assert_comes(street: RetryHarness, one: DryRunResult, come: dict[int, int]) -> None:
    """Retry it, and compare. `come` are the new runs by those that they retry."""
    started = _retry(street, one)
    if isinstance(started, OpsmonError):
        assert (one.verdict, one.code) == (Verdict.REFUSED, started.code)
        assert one.reason
        return
    assert one.run
    assert one.run.context is None
    new = started.run.id
    come.setdefault(one.run_id, new)
    if one.verdict is Verdict.ELIGIBLE:
        assert (started.receipt, started.run.retry_of_id) == (Receipt.QUEUED, one.run_id)
    else:
        assert one.verdict is Verdict.JOINS
        assert started.receipt is Receipt.ATTACHED
        assert new == (one.twin_id or come[one.same_as or 0])


def test_every_reason_is_told(street: RetryHarness) -> None:
    fine, twin = street.failed("a"), street.failed("b")
    active = street.make("contoso", "test.mark", {"name": "x", "key": "b"}, Status.QUEUED)
    same = street.failed("a")
    cases = {
        fine.id: (Verdict.ELIGIBLE, "", ""),
        twin.id: (Verdict.JOINS, "", ""),
        same.id: (Verdict.JOINS, "", ""),
        active.id: (Verdict.REFUSED, RunChanged.code, "it is queued: only a completed run can be retried"),
        street.failed("c", "fabrikam").id: (Verdict.REFUSED, Forbidden.code, "you may not start or retry runs in fabrikam"),
        street.failed("d", "secret").id: (Verdict.REFUSED, NotFound.code, "there is no such run"),
        ABSENT: (Verdict.REFUSED, NotFound.code, "there is no such run"),
        street.make("contoso", "test.gone", {}, Status.COMPLETED).id: (
            Verdict.REFUSED, InputInvalid.code, "there is no operation 'test.gone': 'opsmon operations' lists them",
        ),
        street.make("contoso", "test.mark", {"name": 7}, Status.COMPLETED).id: (
            Verdict.REFUSED, InputInvalid.code, "parameter 'name' cannot be '7': give a text",
        ),
    }  # fmt: skip
    found = street.rehearse(*cases)
    assert {one.run_id: (one.verdict, one.code, one.reason) for one in found} == cases
    by_id = {one.run_id: one for one in found}
    assert (by_id[twin.id].twin_id, by_id[twin.id].same_as) == (active.id, None)
    assert (by_id[same.id].twin_id, by_id[same.id].same_as) == (None, fine.id)


@pytest.mark.parametrize("context", [{"parameters": [1]}, {"parameters": "x"}, [1], "x"])
def test_a_run_that_cannot_be_read_is_refused_and_the_others_are_not(street: RetryHarness, context: Any) -> None:
    broken, fine = street.failed("a"), street.failed("b")
    with street.db.write() as connection:
        connection.execute(sa.update(operation_runs).where(operation_runs.c.id == broken.id).values(context=context))
    first, second = street.rehearse(broken.id, fine.id)
    assert (first.verdict, first.code, second.verdict) == (Verdict.REFUSED, InputInvalid.code, Verdict.ELIGIBLE)


def test_an_edit_is_rehearsed_with_what_it_would_start(street: RetryHarness) -> None:
    """With other parameters it has other twins, and may be refused."""
    one, other = street.failed("a"), street.failed("b")
    active = street.make("contoso", "test.mark", {"name": "x", "key": "z"}, Status.QUEUED)

    def all_alike(_: Operation, run: Run) -> dict[str, Any]:
        return {**run.parameters, "key": "z"}

    found = street.dispatcher.dry_run_retries(street.ann, [one.id, other.id], all_alike)
    assert [(each.verdict, each.twin_id) for each in found] == [(Verdict.JOINS, active.id)] * 2
    found = street.dispatcher.dry_run_retries(street.ann, [one.id], lambda *_: {"name": "x", "kye": "z"})
    assert (found[0].verdict, found[0].code) == (Verdict.REFUSED, InputInvalid.code)


def test_a_retry_with_other_parameters_is_linked_and_checked(street: RetryHarness) -> None:
    old = street.failed("a")
    started = street.dispatcher.retry(street.ann, old.id, {"name": "x", "key": "other"})
    assert (started.receipt, started.run.retry_of_id) == (Receipt.QUEUED, old.id)
    assert started.run.parameters == {"name": "x", "key": "other"}
    assert street.stage.run(old.id).parameters == {"name": "x", "key": "a"}
    before = street.stage.everything()
    with pytest.raises(InputInvalid):
        street.dispatcher.retry(street.ann, old.id, {"name": "x", "kye": "b"})
    assert street.stage.everything() == before


@pytest.mark.parametrize("painted", [Status.QUEUED, Status.RUNNING])
def test_a_run_that_is_not_as_it_was_painted_is_not_retried(street: RetryHarness, painted: Status) -> None:
    run = street.make("contoso", "test.mark", {"name": "x", "key": "a"}, painted)
    people.end_run(street.db, run, people.FAILED)
    before = street.stage.everything()
    with pytest.raises(RunChanged, match=rf"run {run.id} was {painted} and is failed now: look again"):
        street.dispatcher.retry(street.ann, run.id, seen=run)
    assert street.stage.everything() == before
    seen = street.stage.run(run.id)
    assert street.dispatcher.retry(street.ann, run.id, seen=seen).receipt is Receipt.QUEUED


def test_thousands_are_looked_at_in_few_statements(street: RetryHarness) -> None:
    tenant = street.tenants["contoso"]
    past = (
        SeedRun(tenant.id, "test.mark", Outcome.FAILED, 60 + n, context={"parameters": {"name": "x", "key": str(n)}})
        for n in range(5000)
    )
    seed_runs(street.db, past, batch=5000)
    with street.db.read() as connection:
        ids = connection.execute(sa.select(operation_runs.c.id)).scalars().all()
    with sent_statements(street.db) as sent:
        found = street.rehearse(*ids)
    assert {one.verdict for one in found} == {Verdict.ELIGIBLE}
    assert len(found) == len(ids) == 5000
    assert len(sent) <= 31
