"""Groups as people name them in a mapping: by an id, or by an exact name that one group alone has."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import sqlalchemy as sa

from store.errors import InputInvalid
from store.intune import directory, group_search
from store.intune.group_search import SameName
from store.intune.inventory import storable
from store.intune.restore_records import Mapped, Restore


def sources(groups: Sequence[Mapped], text: str) -> list[str]:
    """The ids of the restore's groups that `text` could mean: one by its id, others by exactly their name."""
    return sorted({one.source_id for one in groups if text.lower() == one.source_id or text == one.source_name})


def source(groups: Sequence[Mapped], text: str) -> str:
    """The id of the restore's group that `text` means. Raises InputInvalid if it means none or several."""
    found = sources(groups, text)
    if not found:
        raise InputInvalid(
            f"the restore names no group {text!r}", "give an id, or the exact name, of one that it lists"
        )
    if len(found) > 1:
        raise InputInvalid(f"{len(found)} groups of the restore are called {text!r}", f"give an id: {', '.join(found)}")
    return found[0]


def pair(groups: Sequence[Mapped], text: str) -> tuple[str, str]:
    """GROUP=TARGET as the id of the restore's group, and the target as it was given. A name may have an equals sign in it.

    Raises InputInvalid if no group, or more than one, can be meant.
    """
    ends = [at for at, char in enumerate(text) if char == "="]
    if not ends:
        raise InputInvalid(f"'{text}' maps no group to another", "write GROUP=TARGET")
    fits = [at for at in ends if sources(groups, text[:at])]
    if len(fits) > 1:
        raise InputInvalid(f"'{text}' can be read in {len(fits)} ways", "give the group by its id")
    at = fits[0] if fits else ends[0]
    return source(groups, text[:at]), text[at + 1 :]


def targets(connection: sa.Connection, restore: Restore, texts: Collection[str]) -> dict[str, str]:
    """The ids of the groups of the target tenant that these texts mean, from its cached directory.

    Raises InputInvalid if one means none or several, or is a name while the directory was never read to its end: then a name
    that one group has so far may not be only that one's.
    """
    given = {text: storable(text) for text in texts}
    tenant_id = restore.tenant_id
    ids = group_search.by_group_ids(connection, tenant_id, [text.lower() for text in given.values()])
    named = group_search.by_names(connection, tenant_id, list(given.values()))
    was_read = directory.read_state(connection, tenant_id).complete_at is not None
    return {
        text: _target(text, restore.tenant, text.lower() in ids, named.get(clean), was_read=was_read)
        for text, clean in given.items()
    }


def _target(text: str, tenant: str, is_id: bool, same_name: SameName | None, *, was_read: bool) -> str:
    sync = f"'opsmon start directory_groups.sync --tenant {tenant}' refreshes it"
    if same_name is None:
        if is_id:
            return text.lower()
        raise InputInvalid(f"the cached directory of {tenant} has no group {text!r}", sync)
    many = same_name.many + (is_id and same_name.group_id != text.lower())
    if many > 1:
        raise InputInvalid(f"{many} groups of {tenant} are called {text!r}", "give the id of one")
    if not was_read and not is_id:
        raise InputInvalid(f"the directory of {tenant} was never read to its end, so {text!r} may not be alone", sync)
    return same_name.group_id
