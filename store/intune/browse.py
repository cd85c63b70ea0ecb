"""The inventory as a person goes through it: kinds, the policies of one kind, and one policy with its versions.

Only members of a tenant find anything of it: for others neither the tenant nor its policies exist (NotFound).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from store.errors import NotFound
from store.intune import group_search
from store.intune.browsed import (
    Found,
    Kinds,
    KindState,
    KindsWanted,
    ListedPolicy,
    Place,
    PoliciesWanted,
    PolicyDetail,
    PolicyPage,
    PolicyWanted,
    Version,
    VersionState,
    Wanted,
)
from store.intune.inventory import storable
from store.model.records import COUNT_CAP, Count, Tenant
from store.model.tables import contents, policies, policy_versions
from store.people.access import Membership

#: Policies on a page, versions of a policy, and characters that are searched for.
PAGE: Final = 200
VERSIONS: Final = 100
MAX_TEXT: Final = 100
#: Groups and filters of a page or a policy whose names are looked up.
_NAMES: Final = 1_000
_FILTERS: Final = "assignment_filters"

_policy = policies.c
_version = policy_versions.c
#: As the database folds it: SQLite folds ASCII letters alone.
_FOLDED: Final = sa.func.lower(_policy.name)


def read(
    connection: sa.Connection, members: Sequence[Membership], wanted: Wanted | None, bodies: Mapping[str, Any]
) -> Found | None:
    """What is wanted; None if nothing is, or if it does not exist for a user with these memberships."""
    try:
        match wanted:
            case KindsWanted():
                return kinds(connection, members, wanted)
            case PoliciesWanted():
                return page(connection, members, wanted)
            case PolicyWanted():
                return policy(connection, members, wanted, bodies)
    except NotFound:
        return None
    return None


def kinds(connection: sa.Connection, members: Sequence[Membership], wanted: KindsWanted) -> Kinds:
    """The kinds that were read of the tenant. Raises NotFound.

    Looks at every policy of the tenant, along its index: there are thousands, not millions.
    """
    tenant = tenant_of(members, wanted.tenant)
    here = _policy.missing_since.is_(None)
    query = (
        sa.select(
            _policy.kind,
            sa.func.count().filter(here),
            sa.func.count().filter(~here),
            sa.func.max(_policy.last_seen_at, type_=_policy.last_seen_at.type),
        )
        .where(_policy.tenant_id == tenant.id)
        .group_by(_policy.kind)
        .order_by(_policy.kind)
    )
    return Kinds(tenant, tuple(KindState(*row) for row in connection.execute(query)))


def page(
    connection: sa.Connection, members: Sequence[Membership], wanted: PoliciesWanted, limit: int = PAGE
) -> PolicyPage:
    """At most `limit` policies of the kind, the missing ones among them. Raises NotFound for the tenant."""
    tenant = tenant_of(members, wanted.tenant)
    listed = _listed(tenant.id, wanted)
    rows = list(connection.execute(_page(listed, wanted.after).limit(limit + 1)))
    counted = sa.select(sa.func.count()).select_from(listed.limit(COUNT_CAP + 1).subquery())
    many = int(connection.execute(counted).scalar_one())
    newest = _newest_versions(connection, [row.id for row in rows[:limit]])
    found = tuple(_listed_policy(row, newest.get(row.id)) for row in rows[:limit])
    assignments = [one for each in found for one in each.assignments or ()]
    return PolicyPage(
        tenant,
        found,
        Count(min(many, COUNT_CAP), many > COUNT_CAP),
        Place(rows[limit - 1].folded, rows[limit - 1].id) if len(rows) > limit else None,
        _group_names(connection, tenant.id, assignments),
    )


def policy(
    connection: sa.Connection,
    members: Sequence[Membership],
    wanted: PolicyWanted,
    bodies: Mapping[str, Any],
) -> PolicyDetail:
    """The policy with its versions. Raises NotFound for the policy, and for a version that is not one of it.

    Bodies that are in `bodies` already, by their hashes, are not read again: a hash stands for one body for ever.
    """
    row = connection.execute(sa.select(policies).where(_policy.id == wanted.policy_id)).first()
    tenants = {member.tenant.id: member.tenant for member in members}
    if row is None or row.tenant_id not in tenants:
        raise NotFound(f"no policy {wanted.policy_id}", "the inventory of a tenant lists its policies")
    shown, before = _shown_and_before(connection, wanted, bodies)
    states = _states(connection, wanted.policy_id)
    assignments = shown.assignments or () if shown else ()
    return PolicyDetail(
        tenant=tenants[row.tenant_id],
        listed=row.body,
        versions=tuple(states[:VERSIONS]),
        has_more_versions=len(states) > VERSIONS,
        shown=shown,
        before=before,
        groups=_group_names(connection, row.tenant_id, assignments),
        filters=_filter_names(connection, row.tenant_id, assignments),
        **{name: getattr(row, name) for name in _OF_THE_ROW},
    )


_OF_THE_ROW: Final = (
    "id", "kind", "external_id", "name", "description", "platform", "modified_at", "first_seen_at", "last_seen_at",
    "missing_since",
)  # fmt: skip


# ---- parts


def tenant_of(members: Iterable[Membership], slug: str) -> Tenant:
    """The tenant with this slug among the memberships. Raises NotFound."""
    for member in members:
        if member.tenant.slug == slug:
            return member.tenant
    raise NotFound(f"no tenant '{slug}'", "'opsmon tenants list' shows yours")


def _listed(tenant_id: int, wanted: PoliciesWanted) -> sa.Select[Any]:
    columns = (_policy.id, _policy.name, _policy.platform, _policy.last_seen_at, _policy.missing_since)
    query = sa.select(*columns, _FOLDED.label("folded"))
    query = query.where(_policy.tenant_id == tenant_id, _policy.kind == wanted.kind)
    if text := storable(wanted.text.strip()[:MAX_TEXT]):
        escaped = "".join(f"/{char}" if char in "/%_" else char for char in text)
        query = query.where(_FOLDED.like(sa.func.lower(f"%{escaped}%"), escape="/"))
    return query


def _page(listed: sa.Select[Any], after: Place | None) -> sa.Select[Any]:
    query = listed.order_by(_FOLDED, _policy.id)
    if after is None:
        return query
    behind = sa.tuple_(_FOLDED, _policy.id) > sa.tuple_(sa.literal(after.folded), sa.literal(after.id))
    return query.where(behind)


def _newest_versions(connection: sa.Connection, policy_ids: Sequence[int]) -> dict[int, Any]:
    """The newest version of each policy: its id first, so that both statements go along an index."""
    newest = sa.select(sa.func.max(_version.id)).where(_version.policy_id.in_(policy_ids)).group_by(_version.policy_id)
    ids = connection.execute(newest).scalars().all()
    columns = (_version.policy_id, _version.completeness, _version.assignments)
    found = connection.execute(sa.select(*columns).where(_version.id.in_(ids)))
    return {row.policy_id: row for row in found}


def _listed_policy(row: sa.Row[Any], version: Any) -> ListedPolicy:
    facts = (row.id, row.name, row.platform, row.last_seen_at, row.missing_since)
    return ListedPolicy(*facts, version.completeness, _all(version.assignments)) if version else ListedPolicy(*facts)


def _states(connection: sa.Connection, policy_id: int) -> list[VersionState]:
    columns = (_version.id, _version.first_seen_at, _version.last_seen_at, _version.completeness)
    query = sa.select(*columns).where(_version.policy_id == policy_id).order_by(_version.id.desc()).limit(VERSIONS + 1)
    return [VersionState(*row) for row in connection.execute(query)]


def _shown_and_before(
    connection: sa.Connection, wanted: PolicyWanted, bodies: Mapping[str, Any]
) -> tuple[Version | None, Version | None]:
    query = sa.select(policy_versions).where(_version.policy_id == wanted.policy_id)
    if wanted.version_id is not None:
        query = query.where(_version.id <= wanted.version_id)
    rows = list(connection.execute(query.order_by(_version.id.desc()).limit(2)))
    if wanted.version_id is not None and (not rows or rows[0].id != wanted.version_id):
        raise NotFound(f"no version {wanted.version_id} of policy {wanted.policy_id}")
    hashes = {row.content_hash for row in rows[: 2 if wanted.compared else 1]}
    read_now = sa.select(contents.c.content_hash, contents.c.body).where(
        contents.c.content_hash.in_(hashes - {*bodies})
    )
    found = {hash_: bodies[hash_] for hash_ in hashes & {*bodies}}
    if hashes - {*bodies}:
        found |= {row.content_hash: row.body for row in connection.execute(read_now)}
    shown, before = [*(_version_from(row, found) for row in rows), None, None][:2]
    return shown, before


def _version_from(row: sa.Row[Any], bodies: Mapping[str, Any]) -> Version:
    state = VersionState(row.id, row.first_seen_at, row.last_seen_at, row.completeness)
    gaps = _all(row.gaps) or ()
    return Version(state, row.content_hash, _all(row.assignments), gaps, bodies.get(row.content_hash))


def _all(value: Any) -> tuple[Any, ...] | None:
    return tuple(value) if isinstance(value, list) else None


def _ids(assignments: Iterable[Any], key: str) -> list[str]:
    """The ids under `key` of the targets, each once, at most so many as are looked up."""
    targets = [one.get("target") for one in assignments if isinstance(one, Mapping)]
    ids = [target.get(key) for target in targets if isinstance(target, Mapping)]
    return list(dict.fromkeys(id_ for id_ in ids if isinstance(id_, str)))[:_NAMES]


def _group_names(connection: sa.Connection, tenant_id: int, assignments: Sequence[Any]) -> dict[str, str]:
    ids = _ids(assignments, "groupId")
    found = group_search.by_group_ids(connection, tenant_id, ids) if ids else {}
    return {id_: group.name for id_, group in found.items()}


def _filter_names(connection: sa.Connection, tenant_id: int, assignments: Sequence[Any]) -> dict[str, str]:
    ids = _ids(assignments, "deviceAndAppManagementAssignmentFilterId")
    if not ids:
        return {}
    of_kind = (_policy.tenant_id == tenant_id, _policy.kind == _FILTERS, _policy.external_id.in_(ids))
    rows = connection.execute(sa.select(_policy.external_id, _policy.name).where(*of_kind))
    return {row.external_id: row.name for row in rows}
