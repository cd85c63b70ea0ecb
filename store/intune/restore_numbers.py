"""Numbers of the items of restores, as the database counts them: by what the preview found, what became of them, what they want;
and the states of the runs of restores.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import sqlalchemy as sa

from store.model.records import Outcome, Status
from store.model.tables import operation_runs, restore_items
from store.model.types import among

#: Actions that keep a restore from being executed.
BLOCKING: Final = ("blocked", "ambiguous")

_item = restore_items.c
_run = operation_runs.c

#: Whether a person has left an item out; null where nobody chose.
SKIP: Final = _item.choice["skip"].as_boolean()
#: The ticks that an item wants, as JSON; see `ticks`.
NEEDS: Final = _item.plan["needs"].as_string()


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers of items of a restore."""

    objects: int = 0
    #: By what the preview found; without those that have no preview.
    actions: Mapping[str, int] = field(default_factory=dict)
    #: By what became of them; without those of which nothing became.
    results: Mapping[str, int] = field(default_factory=dict)
    #: Nothing became of them, and a person chose to leave them out.
    left_out: int = 0
    #: Nothing became of them, nobody left them out, and they are blocked or ambiguous.
    blocked: int = 0

    @property
    def left(self) -> int:
        """How many another preview would look at: nothing became of them, or they have failed."""
        return self.objects - sum(self.results.values()) + self.results.get("failed", 0)


def numbers(connection: sa.Connection, ids: Collection[int]) -> dict[int, Numbers]:
    """The numbers of these restores."""
    counted: dict[int, list[tuple[str | None, str | None, bool, int]]] = {id_: [] for id_ in ids}
    if counted:
        columns = (_item.restore_id, _item.action, _item.result, SKIP.label("skip"), sa.func.count().label("number"))
        query = sa.select(*columns).where(among(_item.restore_id, sorted(counted)))
        # By its name: an expression with parameters would not be the same one to PostgreSQL.
        for row in connection.execute(query.group_by(_item.restore_id, _item.action, _item.result, sa.text("skip"))):
            counted[row.restore_id].append((row.action, row.result, bool(row.skip), row.number))
    return {id_: _from_rows(rows) for id_, rows in counted.items()}


def _from_rows(rows: Sequence[tuple[str | None, str | None, bool, int]]) -> Numbers:
    actions: Counter[str] = Counter()
    results: Counter[str] = Counter()
    left_out = blocked = 0
    for action, result, skip, number in rows:
        actions.update({action: number} if action else {})
        results.update({result: number} if result else {})
        left_out += number if result is None and skip else 0
        blocked += number if result is None and not skip and action in BLOCKING else 0
    return Numbers(sum(row[-1] for row in rows), dict(actions), dict(results), left_out, blocked)


def needs(connection: sa.Connection, restore_id: int) -> dict[str, int]:
    """How many items want which tick, of those that would be restored."""
    query = sa.select(NEEDS.label("needs"), sa.func.count()).where(_item.restore_id == restore_id)
    query = query.where(_item.result.is_(None), sa.func.coalesce(SKIP, sa.false()).is_(sa.false()))
    found: Counter[str] = Counter()
    for wanted, number in connection.execute(query.group_by(sa.text("needs"))):
        found.update(dict.fromkeys(ticks(wanted), number))
    return dict(found)


def ticks(needs: str | None) -> tuple[str, ...]:
    """The ticks that the column NEEDS names."""
    loaded = json.loads(needs) if needs else []
    return tuple(one for one in loaded if isinstance(one, str)) if isinstance(loaded, list) else ()


# ---- runs


@dataclass(frozen=True, slots=True)
class RestoresRun:
    """The state of a run that previews a restore or carries it out."""

    id: int
    status: Status
    outcome: Outcome
    #: It waits for a person to execute the restore.
    held: bool

    @property
    def is_active(self) -> bool:
        """Whether it waits for a worker, or one has it."""
        return self.status is not Status.COMPLETED and not self.held


def runs(connection: sa.Connection, ids: Collection[int]) -> dict[int, RestoresRun]:
    """The runs with these ids, as far as they are there."""
    if not ids:
        return {}
    query = sa.select(_run.id, _run.status, _run.outcome, _run.held).where(among(_run.id, sorted(ids)))
    return {
        row.id: RestoresRun(row.id, Status(row.status), Outcome(row.outcome), bool(row.held))
        for row in connection.execute(query)
    }
