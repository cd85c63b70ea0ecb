"""What the screens ask of backup sets, and what they get: the sets of a tenant, one set with a page of its items, one item.

A poll asks again and again: what its last answer had and cannot change is not read again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from store.errors import NotFound
from store.intune import backup_sets
from store.intune.backup_records import BackupItem
from store.intune.backup_sets import BackupSet, BackupSetDetail, BackupSets, SetsWanted, SetWanted
from store.people.access import Membership


@dataclass(frozen=True, slots=True)
class ItemWanted:
    """Asks for an item of a set, with its body."""

    item_id: int


@dataclass(frozen=True, slots=True)
class BackupItemDetail:
    """An item, and its set."""

    id: int
    found: BackupSet
    item: BackupItem


BackupsWanted = SetsWanted | SetWanted | ItemWanted
BackupsFound = BackupSets | BackupSetDetail | BackupItemDetail


def read(
    connection: sa.Connection,
    members: Sequence[Membership],
    wanted: BackupsWanted | None,
    last: BackupsFound | None = None,
) -> BackupsFound | None:
    """What is wanted; None if nothing is, or if it does not exist for a user with these memberships.

    `last` is the answer before this one. An item never changes; a set that is ended has as many items as when it was ended.
    """
    try:
        match wanted:
            case SetsWanted():
                known = last.sets if isinstance(last, BackupSets) else ()
                return backup_sets.sets(connection, members, wanted.tenant, known=known)
            case SetWanted():
                return backup_sets.detail(connection, members, wanted)
            case ItemWanted():
                return _item(connection, members, wanted.item_id, last)
    except NotFound:
        return None
    return None


def _item(
    connection: sa.Connection, members: Sequence[Membership], item_id: int, last: BackupsFound | None
) -> BackupItemDetail:
    if isinstance(last, BackupItemDetail) and last.id == item_id:
        return BackupItemDetail(item_id, backup_sets.set_of(connection, members, item_id), last.item)
    return BackupItemDetail(item_id, *backup_sets.item(connection, members, item_id))
