"""The cached directory as a person searches it: how many groups there are, how old that is, and the first that a text finds.

Only members of a tenant find anything of it: for others the tenant does not exist (NotFound).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from store.errors import NotFound
from store.intune import directory, group_search
from store.intune.browse import MAX_TEXT, tenant_of
from store.intune.group_search import DirectoryGroup
from store.intune.inventory import storable
from store.model.records import Count, Tenant
from store.people.access import Membership

#: Groups that are listed.
LISTED: Final = 200
#: Groups that are counted; more are "at least" so many.
COUNTED: Final = 100_000
#: For so long a count holds while no round has ended: a round that is being read brings groups all the time.
HOLDS: Final = dt.timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class DirectoryWanted:
    """Asks for the groups of the tenant with this slug. Each word of `text` is the beginning of a word of their names."""

    tenant: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Counted:
    """How many groups of a tenant there are, counted at an instant between two rounds."""

    many: Count
    tenant_id: int
    #: The end of the last round when they were counted; None if there was none.
    read_at: dt.datetime | None
    #: When they were counted.
    at: dt.datetime

    def holds(self, tenant_id: int, read_at: dt.datetime | None, now: dt.datetime) -> bool:
        """Whether this is still the number of the tenant's groups, as far as one can know without counting."""
        return (self.tenant_id, self.read_at) == (tenant_id, read_at) and now - self.at < HOLDS


@dataclass(frozen=True, slots=True)
class Directory:
    """A tenant's cached groups."""

    tenant: Tenant
    counted: Counted
    #: The end of the last round, and of the last one that read everything; None if there was none.
    read_at: dt.datetime | None = None
    complete_at: dt.datetime | None = None
    #: The first groups that the text finds, by the words of their names.
    groups: tuple[DirectoryGroup, ...] = ()
    #: Whether there may be more of them than are listed.
    has_more: bool = False


def read(
    connection: sa.Connection,
    members: Sequence[Membership],
    wanted: DirectoryWanted | None,
    now: dt.datetime,
    counted: Counted | None = None,
) -> Directory | None:
    """What is wanted; None if nothing is, or if there is no such tenant for a user with these memberships.

    `now` is the database's clock; `counted` is what an earlier call counted, and is taken over while it holds.
    """
    try:
        return page(connection, members, wanted, now, counted) if wanted else None
    except NotFound:
        return None


def page(
    connection: sa.Connection,
    members: Sequence[Membership],
    wanted: DirectoryWanted,
    now: dt.datetime,
    counted: Counted | None = None,
) -> Directory:
    """What is wanted. Raises NotFound for the tenant."""
    tenant = tenant_of(members, wanted.tenant)
    state = directory.read_state(connection, tenant.id)
    counted = count(connection, tenant.id, state.read_at, now, counted)
    text = storable(wanted.text.strip()[:MAX_TEXT])
    found = group_search.search(connection, tenant.id, text, LISTED + 1)
    return Directory(
        tenant, counted, state.read_at, state.complete_at, tuple(found[:LISTED]), has_more=len(found) > LISTED
    )


def count(
    connection: sa.Connection,
    tenant_id: int,
    read_at: dt.datetime | None,
    now: dt.datetime,
    counted: Counted | None = None,
) -> Counted:
    """How many groups the tenant has; what an earlier call counted, while that holds. `read_at` is the end of the last round."""
    if counted is not None and counted.holds(tenant_id, read_at, now):
        return counted
    return Counted(group_search.count(connection, tenant_id, COUNTED), tenant_id, read_at, now)
