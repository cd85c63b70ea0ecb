"""A dry run of the retry of many runs: for each of them what would become of it. Nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from store import access, bulk
from store.access import Membership
from store.database import Database
from store.errors import InputInvalid
from store.records import Run, Status, User
from tasks.registry import Registry


class Fate(StrEnum):
    """What a retry would come to: a new run, an active twin that it joins, or a refusal."""

    ELIGIBLE = "eligible"
    JOINS = "joins"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """One run of the list. `run` is None when the user may not see it (any more); it comes without its context.

    `reason` says why it is refused; `twin_id` is the active run that it would join, `same_as` the run earlier in the list
    whose retry it would join. `retry_id` is the newest retry of it by this user that there is already.
    """

    run_id: int
    fate: Fate
    run: Run | None = None
    reason: str = ""
    twin_id: int | None = None
    same_as: int | None = None
    retry_id: int | None = None


def rehearse(db: Database, registry: Registry, user: User, run_ids: Sequence[int]) -> tuple[Rehearsed, ...]:
    """What would become of the retry of each of these runs, in their order. Raises DatabaseAway."""
    runs = bulk.visible_runs(db, user.id, run_ids)
    members = {member.tenant.id: member for member in access.memberships_of(db, user.id)}
    first = [_alone(run_id, runs.get(run_id), registry, members) for run_id in run_ids]
    wanted: dict[int, set[str]] = {}
    for one, identity in first:
        if one.run and identity:
            wanted.setdefault(one.run.tenant_id, set()).add(identity)
    retries = bulk.newest_retries(db, user.id, [one.run_id for one, identity in first if identity])
    found = _together(first, bulk.active_twins(db, wanted))
    return tuple(replace(one, retry_id=retries.get(one.run_id)) for one in found)


def _alone(run_id: int, run: Run | None, registry: Registry, members: dict[int, Membership]) -> tuple[Rehearsed, str]:
    """The run by itself, and the identity that its retry would have; none when it is refused."""
    if run is None:
        return Rehearsed(run_id, Fate.REFUSED, reason="not found"), ""
    listed = replace(run, context=None)
    if run.status is not Status.COMPLETED:
        return Rehearsed(run_id, Fate.REFUSED, listed, f"{run.status}: only a completed run can be retried"), ""
    try:
        operation = registry.get(run.type)
        identity = operation.identity_in(run.tenant_id, operation.check(run.parameters))
    except InputInvalid as error:
        return Rehearsed(run_id, Fate.REFUSED, listed, str(error)), ""
    member = members.get(run.tenant_id)
    if member is None or not member.may(operation.right):
        return Rehearsed(run_id, Fate.REFUSED, listed, f"you may not start or retry runs in {run.tenant}"), ""
    return Rehearsed(run_id, Fate.ELIGIBLE, listed), identity


def _together(first: Sequence[tuple[Rehearsed, str]], twins: dict[tuple[int, str], int]) -> tuple[Rehearsed, ...]:
    """Who would join an active run, or the retry of another one of the list."""
    before: dict[tuple[int, str], int] = {}
    found = []
    for one, identity in first:
        if not identity or one.run is None:
            found.append(one)
            continue
        key = (one.run.tenant_id, identity)
        if key in twins:
            found.append(replace(one, fate=Fate.JOINS, twin_id=twins[key]))
        elif key in before:
            found.append(replace(one, fate=Fate.JOINS, same_as=before[key]))
        else:
            before[key] = one.run_id
            found.append(one)
    return tuple(found)
