"""What the screen that maps groups asks of a restore, and what it gets: the groups, and how the restore stands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from store.errors import NotFound
from store.intune import restore_mapping_page, restore_page
from store.intune.restore_mapping_page import MappingPage
from store.intune.restore_page import ListedRestore
from store.people.access import Membership


@dataclass(frozen=True, slots=True)
class MappingWanted:
    """Asks for the groups of a restore."""

    restore_id: int


@dataclass(frozen=True, slots=True)
class MappingFound:
    """The groups of a restore, and the restore with its numbers and the states of its runs."""

    found: ListedRestore
    page: MappingPage


def read_mapping(
    connection: sa.Connection,
    members: Sequence[Membership],
    wanted: MappingWanted | None,
    now: dt.datetime,
    last: MappingFound | None = None,
) -> MappingFound | None:
    """What is wanted; None if nothing is, or if there is no such restore for a user with these memberships.

    `now` is the database's clock; `last` is the answer before this one: what it counted is taken over while it holds.
    """
    if wanted is None:
        return None
    try:
        restore = restore_page.visible(connection, members, wanted.restore_id)
    except NotFound:
        return None
    (found,) = restore_page.listed(connection, [restore], [last.found] if last else [])
    return MappingFound(found, restore_mapping_page.page(connection, restore, now, last.page.counted if last else None))
