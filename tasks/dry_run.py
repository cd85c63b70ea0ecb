"""Dry run: predicts the result of retrying many runs. Writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from store.db.engine import Database
from store.errors import Forbidden, InputInvalid, NotFound, OpsmonError, RunChanged
from store.model.records import Run, Status, User
from store.people import access
from store.people.access import Membership
from store.runs import bulk
from tasks.sdk.operation import Operation
from tasks.sdk.registry import Registry

#: Returns the parameters for the retry of a run, whose own parameters are in `run`; raises InputInvalid.
Edit = Callable[[Operation, Run], Mapping[str, Any]]


class Verdict(StrEnum):
    """The predicted result of a retry: a new run, an attachment to an active twin, or a refusal."""

    ELIGIBLE = "eligible"
    JOINS = "joins"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class DryRunResult:
    """The prediction for one run of the list."""

    run_id: int
    verdict: Verdict
    #: Without its context; None if the user may not see the run.
    run: Run | None = None
    #: Why the retry would be refused; empty otherwise.
    reason: str = ""
    #: The active run that the retry would attach to.
    twin_id: int | None = None
    #: The run earlier in the list whose retry this one would attach to.
    same_as: int | None = None
    #: The code of the error behind `reason`.
    code: str = ""
    #: This user's newest existing retry of the run.
    retry_id: int | None = None


def unchanged(operation: Operation, run: Run) -> Mapping[str, Any]:
    """The run's own parameters: the default `Edit`."""
    return run.parameters


def dry_run_retries(
    db: Database, registry: Registry, user: User, run_ids: Sequence[int], edit: Edit = unchanged
) -> tuple[DryRunResult, ...]:
    """Predict the result of retrying each of these runs, in the given order. Raises DatabaseAway.

    Reads the state once, in batched statements. The retry itself checks again, and detects any change since.
    """
    runs = bulk.visible_runs(db, user.id, run_ids)
    members = {member.tenant.id: member for member in access.memberships_of(db, user.id)}
    first = [_alone(run_id, runs.get(run_id), registry, members, edit) for run_id in run_ids]
    wanted: dict[int, set[str]] = {}
    for one, identity in first:
        if one.run and identity:
            wanted.setdefault(one.run.tenant_id, set()).add(identity)
    found = _together(first, bulk.active_twins(db, wanted))
    retries = bulk.newest_retries(db, user.id, run_ids)
    return tuple(replace(one, retry_id=retries.get(one.run_id)) for one in found)


def _alone(
    run_id: int, run: Run | None, registry: Registry, members: Mapping[int, Membership], edit: Edit
) -> tuple[DryRunResult, str]:
    """The result for one run on its own, and the identity of its retry (empty if it would be refused)."""
    listed = replace(run, context=None) if run else None
    try:
        identity = _identity(run, registry, members, edit)
    except OpsmonError as error:
        return DryRunResult(run_id, Verdict.REFUSED, listed, str(error), code=error.code), ""
    return DryRunResult(run_id, Verdict.ELIGIBLE, listed), identity


def _identity(run: Run | None, registry: Registry, members: Mapping[int, Membership], edit: Edit) -> str:
    """The identity of the run's retry. Checks and refuses in the same order as `Dispatcher.retry`."""
    if run is None:
        raise NotFound("there is no such run")
    operation = registry.get(run.type)
    member = members.get(run.tenant_id)
    if member is None or not member.may(operation.right):
        raise Forbidden(f"you may not {operation.act} in {run.tenant}")
    operation.check_retry(run)
    if run.status is not Status.COMPLETED:
        raise RunChanged(f"it is {run.status_words}", "only a completed run can be retried")
    try:
        return operation.identity_in(run.tenant_id, operation.check(edit(operation, run)))
    except OpsmonError:
        raise
    except Exception as error:  # one unreadable run must not end the dry run of the others
        raise InputInvalid(f"its parameters cannot be read ({type(error).__name__})") from error


def _together(first: Sequence[tuple[DryRunResult, str]], twins: dict[tuple[int, str], int]) -> tuple[DryRunResult, ...]:
    """Mark the retries that would attach to an active run, or to the retry of an earlier run in the list."""
    before: dict[tuple[int, str], int] = {}
    found = []
    for one, identity in first:
        if not identity or one.run is None:
            found.append(one)
            continue
        key = (one.run.tenant_id, identity)
        if key in twins:
            found.append(replace(one, verdict=Verdict.JOINS, twin_id=twins[key]))
        elif key in before:
            found.append(replace(one, verdict=Verdict.JOINS, same_as=before[key]))
        else:
            before[key] = one.run_id
            found.append(one)
    return tuple(found)
