"""A dry run of many retries says what the retries come to afterwards, and writes nothing."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import access
from store.access import Role
from store.errors import Forbidden, InputInvalid, NotFound, OpsmonError, RunChanged
from store.records import Outcome, Run, Status, Tenant
from tasks.dispatch import Fate, Receipt, Rehearsed
from tests.store.properties import examples
from tests.support import people
from tests.tasks.conftest import Stage

_numbers = itertools.count(1)

NOBODY = 10**9


@pytest.fixture
def wide(stage: Stage) -> Stage:
    """Beside the tenant in which ann may start runs one in which she may look, and one that she is no member of."""
    access.add_tenant(stage.db, "readable")
    access.grant(stage.db, "ann", "readable", Role.READONLY)
    access.add_tenant(stage.db, "hidden")
    return stage


def tenant_of(stage: Stage, slug: str) -> Tenant:
    return next(tenant for tenant in _tenants(stage) if tenant.slug == slug)


def _tenants(stage: Stage) -> list[Tenant]:
    try:
        bob = access.find_user(stage.db, "bob")
    except NotFound:
        bob = access.add_user(stage.db, "bob")
        for slug in ("contoso", "readable", "hidden"):
            try:
                access.grant(stage.db, "bob", slug, Role.READONLY)
            except NotFound:
                continue
    return [member.tenant for member in access.memberships_of(stage.db, bob.id)]


def a_run(
    stage: Stage,
    key: str,
    *,
    slug: str = "contoso",
    type_: str = "system.probe",
    active: bool = False,
    **parameters: Any,
) -> Run:
    """A run as it may lie in the database, whatever its operation is today."""
    tenant = tenant_of(stage, slug)
    given = {"key": key, **parameters}
    operation = stage.registry.operations["system.probe"]
    try:
        identity = operation.identity_in(tenant.id, operation.check(given))
    except InputInvalid:
        identity = f"{next(_numbers):064}"
    run = people.open_run(
        stage.db, tenant, stage.user, type=type_, run_identity_hash=identity, context={"parameters": given}
    )
    return run if active else people.end_run(stage.db, run, people.FAILED)


def rehearsed(stage: Stage, *run_ids: int) -> tuple[Rehearsed, ...]:
    return stage.dispatcher().rehearse(stage.user, run_ids)


def alone(stage: Stage, run_id: int) -> tuple[Fate, str]:
    (one,) = rehearsed(stage, run_id)
    return one.fate, one.reason


#: What a run of the list is, and which key it has: few keys, so that twins are common.
KINDS = ("ended", "ended", "ended", "active", "readable", "hidden", "unknown", "invalid", "nobody")
LISTS = st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from("abc")), max_size=9)


def _make(stage: Stage, listed: list[tuple[str, str]]) -> list[int]:
    example, ids, active = next(_numbers), [], set[str]()
    for kind, letter in listed:
        key = f"{example}{letter}"
        if kind == "nobody":
            ids.append(NOBODY + len(ids))
        elif kind == "active":
            if key not in active:
                active.add(key)
                ids.append(a_run(stage, key, active=True).id)
        elif kind == "ended":
            # Twins are never active at the same time: the ended one has run under another key's identity first.
            ids.append(_ended(stage, key, key in active).id)
        elif kind == "unknown":
            ids.append(a_run(stage, key + "u", type_="gone.away").id)
        elif kind == "invalid":
            ids.append(a_run(stage, key, items="many").id)
        else:
            ids.append(a_run(stage, key, slug=kind).id)
    return ids


def _ended(stage: Stage, key: str, has_twin: bool) -> Run:
    if not has_twin:
        return a_run(stage, key)
    tenant = tenant_of(stage, "contoso")
    run = people.open_run(stage.db, tenant, stage.user, type="system.probe", context={"parameters": {"key": key}})
    return people.end_run(stage.db, run, people.FAILED)


@given(listed=LISTS)
@examples(30)
def test_the_retries_come_to_what_the_dry_run_has_said(wide: Stage, listed: list[tuple[str, str]]) -> None:
    ids = _make(wide, listed)
    before = wide.everything()
    found = rehearsed(wide, *ids)
    assert wide.everything() == before, "a dry run writes nothing"
    assert [one.run_id for one in found] == ids, "each run once, in the order of the list"
    assert sum(Counter(one.fate for one in found).values()) == len(ids)
    new: dict[int, int] = {}
    for one in found:
        if one.fate is Fate.REFUSED:
            assert one.reason
            with pytest.raises(OpsmonError):
                wide.dispatcher().retry(wide.user, one.run_id, seen=one.run)
            continue
        started = wide.dispatcher().retry(wide.user, one.run_id, seen=one.run)
        if one.fate is Fate.ELIGIBLE:
            assert (started.receipt, started.run.retry_of_id) == (Receipt.QUEUED, one.run_id)
            new[one.run_id] = started.run.id
        else:
            assert (one.twin_id is None) != (one.same_as is None)
            assert (started.receipt, started.run.id) == (Receipt.ATTACHED, one.twin_id or new[one.same_as or 0])


def test_each_class_with_its_reason(wide: Stage) -> None:
    active = a_run(wide, "x", active=True)
    first, second, readable, hidden, unknown, invalid, lacks = (
        a_run(wide, "y").id,
        a_run(wide, "y").id,
        a_run(wide, "r", slug="readable").id,
        a_run(wide, "h", slug="hidden").id,
        a_run(wide, "u", type_="gone.away").id,
        a_run(wide, "i", items="many").id,
        a_run(wide, "l", volume=11).id,
    )
    (same,) = [_ended(wide, "x", True)]
    found = rehearsed(wide, first, second, same.id, active.id, readable, hidden, unknown, invalid, lacks, NOBODY)
    told = [(one.fate, one.reason, one.twin_id, one.same_as) for one in found]
    assert told[:3] == [
        (Fate.ELIGIBLE, "", None, None),
        (Fate.JOINS, "", None, first),
        (Fate.JOINS, "", active.id, None),
    ]
    assert [fate for fate, *_ in told[3:]] == [Fate.REFUSED] * 7
    reasons = [reason for _, reason, *_ in told[3:]]
    assert "only a completed run" in reasons[0]
    assert reasons[1] == "you may not start or retry runs in readable"
    assert reasons[2] == reasons[6] == "not found", "of a tenant that one is no member of there is nothing to know"
    assert "gone.away" in reasons[3]
    assert "items" in reasons[4]
    assert "volume" in reasons[5]
    assert found[5].run is None
    assert [one.run.context for one in found if one.run] == [None] * 8


def test_more_runs_than_a_statement_takes_are_looked_at(wide: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.bulk._AT_ONCE", 3)
    actives = [a_run(wide, f"many{number}", active=True).id for number in range(7)]
    ids = [_ended(wide, f"many{number}", True).id for number in range(7)]
    found = rehearsed(wide, *reversed(ids))
    assert [one.run_id for one in found] == ids[::-1]
    assert [one.twin_id for one in found] == actives[::-1]


def test_nothing_to_look_at(wide: Stage) -> None:
    assert rehearsed(wide) == ()


def test_a_right_that_is_taken_away_meanwhile_refuses_the_retry(wide: Stage) -> None:
    run = a_run(wide, "x")
    assert alone(wide, run.id) == (Fate.ELIGIBLE, "")
    access.grant(wide.db, "ann", "contoso", Role.READONLY)
    with pytest.raises(Forbidden):
        wide.dispatcher().retry(wide.user, run.id, seen=run)
    assert alone(wide, run.id)[0] is Fate.REFUSED


# ---- a retry with what was seen, or with other parameters


def test_a_run_that_is_not_as_it_was_seen_any_more_is_not_retried(wide: Stage) -> None:
    run = a_run(wide, "x")
    before = wide.everything()
    for seen, was in (
        (replace(run, status=Status.RUNNING, outcome=Outcome.PENDING), "running"),
        (replace(run, outcome=Outcome.SUCCEEDED), "succeeded"),
    ):
        with pytest.raises(RunChanged, match=f"run {run.id} was {was} and is failed now"):
            wide.dispatcher().retry(wide.user, run.id, seen=seen)
    assert wide.everything() == before
    assert wide.dispatcher().retry(wide.user, run.id, seen=run).receipt is Receipt.QUEUED


def test_other_parameters_are_checked_stored_and_linked(wide: Stage) -> None:
    run = a_run(wide, "x", items=3)
    for wrong in ({"items": "many"}, {"volume": 11}):
        with pytest.raises(InputInvalid):
            wide.dispatcher().retry(wide.user, run.id, wrong)
    started = wide.dispatcher().retry(wide.user, run.id, {"key": "x", "items": 4}, seen=run)
    assert (started.receipt, started.run.retry_of_id) == (Receipt.QUEUED, run.id)
    assert {name: started.run.parameters[name] for name in ("key", "items")} == {"key": "x", "items": 4}
    # No parameters at all are other parameters than those of before.
    bare = wide.dispatcher().retry(wide.user, run.id, {})
    assert (bare.run.parameters["key"], bare.run.parameters["items"]) == ("", 10)


def test_parameters_that_are_another_runs_join_that_one(wide: Stage) -> None:
    run, other = a_run(wide, "x"), a_run(wide, "y", active=True)
    started = wide.dispatcher().retry(wide.user, run.id, {"key": "y"})
    assert (started.receipt, started.run.id) == (Receipt.ATTACHED, other.id)


def test_what_a_form_is_filled_with(wide: Stage) -> None:
    run = a_run(wide, "x", items=3)
    operation, found = wide.dispatcher().to_retry(wide.user, run.id)
    assert (operation.type, found.parameters) == ("system.probe", {"key": "x", "items": 3})
    with pytest.raises(NotFound):
        wide.dispatcher().to_retry(wide.user, a_run(wide, "h", slug="hidden").id)
    with pytest.raises(InputInvalid):
        wide.dispatcher().to_retry(wide.user, a_run(wide, "u", type_="gone.away").id)
