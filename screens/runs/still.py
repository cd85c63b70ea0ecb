"""Whether a list of runs has to be painted anew. Pure functions."""

from __future__ import annotations

import datetime as dt
from typing import Final

from store.model.records import Run, Status
from store.snapshot import Request, Snapshot

#: Seconds before an unchanged list is repainted: the times in it are shown in minutes.
STILL: Final = 10.0


def list_of(request: Request) -> object:
    """The part of a request that identifies the list."""
    return request.wanted, request.tab, request.order


def looks_the_same(painted: Snapshot, new: Snapshot) -> bool:
    """Whether the list would look the same as when that snapshot was painted."""
    if (new.at - painted.at).total_seconds() >= STILL:
        return False
    shown = [(one.request, one.page, one.counts, one.total, one.memberships, one.unread) for one in (painted, new)]
    ticks = painted.silences or new.silences or any(_tells_seconds(run, new.at) for run in new.runs)
    return shown[0] == shown[1] and not ticks


def _tells_seconds(run: Run, at: dt.datetime) -> bool:
    """Whether the run's duration is shown in seconds, or was at the last paint."""
    return bool(run.status is Status.RUNNING and run.started_at and (at - run.started_at).total_seconds() < 60 + STILL)
