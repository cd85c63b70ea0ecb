"""What processes do that let schedules fire: functions for `Forked(main=...)`. The arguments are the database and a folder.

They tick as of the instant in the folder's file `now`, until there is a file `over`.
"""

from __future__ import annotations

import datetime as dt
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from store.db.dialects import Timeouts
from store.db.engine import Database
from store.runs import lifecycle, ticking
from tests.support.waiting import HANG


def set_now(folder: Path, now: dt.datetime) -> None:
    """From here on it is `now` for all of them."""
    new = folder / "now.new"
    new.write_text(now.isoformat())
    new.replace(folder / "now")


def keep_ticking(argv: Sequence[str]) -> int:
    """Tick again and again. Leaves a file with its process id once it has ticked."""
    url, folder = argv[0], Path(argv[1])
    db = Database(url, Timeouts.within(HANG), pool_size=1)
    while not (folder / "over").exists():
        ticking.tick(db, dt.datetime.fromisoformat((folder / "now").read_text()))
        (folder / f"ticks-{os.getpid()}").touch()
    db.close()
    return 0


def die_before_the_run(argv: Sequence[str]) -> int:
    """Die by SIGKILL within a tick: the row is written, the run is not opened yet."""

    def die(connection: sa.Connection, new: lifecycle.NewRun) -> Any:
        os.kill(os.getpid(), signal.SIGKILL)

    lifecycle.create_or_attach_within = die
    return keep_ticking(argv)


def die_after_the_run(argv: Sequence[str]) -> int:
    """Die by SIGKILL within a tick: row and run are written, and nothing is committed."""
    opened = lifecycle.create_or_attach_within

    def die(connection: sa.Connection, new: lifecycle.NewRun) -> Any:
        opened(connection, new)
        os.kill(os.getpid(), signal.SIGKILL)

    lifecycle.create_or_attach_within = die
    return keep_ticking(argv)
