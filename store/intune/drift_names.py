"""Names of groups and filters, for the words of a changed assignment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from store.model.tables import directory_groups, policies
from store.model.types import among

_FILTERS: Final = "assignment_filters"
_FILTER_ID: Final = "deviceAndAppManagementAssignmentFilterId"


def names_of(connection: sa.Connection, tenant_id: int, targets: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The names of the groups and filters of these targets as they are known now, removed ones included, by their ids in
    lower case. Unknown ids are left out.
    """
    group, policy = directory_groups.c, policies.c
    in_cache = sa.select(group.group_id, group.display_name).where(group.tenant_id == tenant_id)
    filters = sa.select(policy.external_id, policy.name).where(policy.tenant_id == tenant_id, policy.kind == _FILTERS)
    groups = in_cache.where(among(group.group_id, _ids(targets, "groupId")))
    found = [
        *connection.execute(groups),
        *connection.execute(filters.where(among(policy.external_id, _ids(targets, _FILTER_ID)))),
    ]
    return {str(id_).lower(): str(name) for id_, name in found}


def _ids(targets: Sequence[Mapping[str, Any]], key: str) -> set[str]:
    """The ids as they stand there and in lower case: one of the two is how they are stored."""
    ids = {target[key] for target in targets if isinstance(target.get(key), str)}
    return ids | {id_.lower() for id_ in ids}
