"""A dry run of the retry of many runs: for each of them what would become of it. Nothing is written."""

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

#: The parameters that a retry of a run gets; raises InputInvalid. The run comes with its own.
Edit = Callable[[Operation, Run], Mapping[str, Any]]


class Verdict(StrEnum):
    """What a retry would come to: a new run, an active twin that it joins, or a refusal."""

    ELIGIBLE = "eligible"
    JOINS = "joins"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class DryRunResult:
    """One run of the list. `run` is None when the user may not see it (any more); it comes without its context.

    `reason` says why it is refused, and `code` is that error's; `twin_id` is the active run that it would join, `same_as` the
    run earlier in the list whose retry it would join. `retry_id` is the newest retry of it by this user that there is already.
    """

    run_id: int
    verdict: Verdict
    run: Run | None = None
    reason: str = ""
    twin_id: int | None = None
    same_as: int | None = None
    code: str = ""
    retry_id: int | None = None


def unchanged(operation: Operation, run: Run) -> Mapping[str, Any]:
    """The run's own parameters."""
    return run.parameters


def dry_run_retries(
    db: Database, registry: Registry, user: User, run_ids: Sequence[int], edit: Edit = unchanged
) -> tuple[DryRunResult, ...]:
    """What would become of the retry of each of these runs, in their order. Raises DatabaseAway.

    It looks once, in statements for hundreds of runs: what changes after that, the retry itself finds out.
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
    """The run by itself, and the identity that its retry would have; none when it is refused."""
    listed = replace(run, context=None) if run else None
    try:
        identity = _identity(run, registry, members, edit)
    except OpsmonError as error:
        return DryRunResult(run_id, Verdict.REFUSED, listed, str(error), code=error.code), ""
    return DryRunResult(run_id, Verdict.ELIGIBLE, listed), identity


def _identity(run: Run | None, registry: Registry, members: Mapping[int, Membership], edit: Edit) -> str:
    """The identity that the run's retry would have. Asks, and refuses, in the order in which the dispatcher's retry does."""
    if run is None:
        raise NotFound("there is no such run")
    operation = registry.get(run.type)
    member = members.get(run.tenant_id)
    if member is None or not member.may(operation.right):
        raise Forbidden(f"you may not {operation.act} in {run.tenant}")
    if run.status is not Status.COMPLETED:
        raise RunChanged(f"it is {run.status}", "only a completed run can be retried")
    try:
        return operation.identity_in(run.tenant_id, operation.check(edit(operation, run)))
    except OpsmonError:
        raise
    except Exception as error:  # one run that cannot be read must not end the rehearsal of the others
        raise InputInvalid(f"its parameters cannot be read ({type(error).__name__})") from error


def _together(first: Sequence[tuple[DryRunResult, str]], twins: dict[tuple[int, str], int]) -> tuple[DryRunResult, ...]:
    """Who would join an active run, or the retry of another one of the list."""
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
