"""A restore as a person reviews it: with its items, its runs and the age of its preview."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from store.db.engine import Database
from store.intune import restore_mappings, restores
from store.intune.restore_records import Restore, RestoreItem, RestoreState, blocking, left_to_do, ticks_wanted
from store.model.records import Run, User
from store.model.types import utcnow
from store.runs import lifecycle

#: The newest runs of a restore that are read.
MAX_RUNS: Final = 20


@dataclass(frozen=True, slots=True)
class Review:
    """A restore with all that a decision on it goes by."""

    restore: Restore
    #: In the order of the restore.
    items: tuple[RestoreItem, ...]
    #: The runs that carry it out, or did, newest first; the first one is held while the restore is previewed.
    runs: tuple[Run, ...]
    #: The last run that read the target for a preview; None if none did since the last change.
    preview_run: Run | None
    #: Groups that nobody and nothing has decided on.
    unresolved: int
    #: The database's clock.
    now: dt.datetime

    @property
    def left(self) -> list[RestoreItem]:
        """What an execution would carry out."""
        return left_to_do(self.items)

    @property
    def blocking(self) -> list[RestoreItem]:
        """The items because of which it cannot be executed."""
        return blocking(self.items)

    @property
    def wanted(self) -> list[str]:
        """The ticks that it wants and does not have."""
        return ticks_wanted(self.restore, self.items)

    @property
    def preview_age(self) -> float | None:
        """Seconds since the preview that holds; None if none does."""
        at = self.restore.previewed_at
        return (self.now - at).total_seconds() if at and self.restore.status is RestoreState.PREVIEWED else None

    @property
    def actions(self) -> Counter[str]:
        """How many items have each action; `left_out` for those that a person left out, `none` for those without a preview."""
        return Counter("left_out" if one.is_skipped else one.action or "none" for one in self.items)

    @property
    def results(self) -> Counter[str]:
        """How many items became what; `left` for those of which nothing became yet."""
        return Counter(one.result or "left" for one in self.items)


def review(db: Database, user: User, restore_id: int) -> Review:
    """The restore, if the user is a member of both tenants. Raises NotFound."""
    with db.read() as connection:
        found = restores.read_visible(connection, user.id, restore_id)
        items = tuple(restores.items_of(connection, restore_id))
        unresolved = restore_mappings.unresolved(connection, restore_id)
        now: dt.datetime = connection.execute(sa.select(utcnow())).scalar_one()
    preview_run = None if found.preview_run_id is None else lifecycle.get(db, found.preview_run_id)
    return Review(found, items, _runs(db, found), preview_run, unresolved, now)


def _runs(db: Database, found: Restore) -> tuple[Run, ...]:
    runs: list[Run] = []
    id_ = found.run_id
    while id_ is not None and len(runs) < MAX_RUNS and (run := lifecycle.get(db, id_)) is not None:
        runs.append(run)
        id_ = run.retry_of_id
    return tuple(runs)
