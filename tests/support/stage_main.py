"""`python -m tests.support.stage_main FILE RUNS`: the screens over crafted runs, which go on as FILE says.

How many polls have been shown is told in `FILE.polls`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from textual import on

from screens.monitor import Monitor
from screens.terminal.driver import diffing_driver
from store.model.records import Counts, Outcome, Status
from store.snapshot import Request, Snapshot
from tests.screens.conftest import FakeBackend, a_run, hostile_run, told

POLL_SECONDS = 0.05


@dataclass
class Told(FakeBackend):
    """`STEP COUNT` in the file: the newest COUNT runs are at STEP of 40."""

    file: Path = field(default_factory=Path)

    def fetch(self, request: Request) -> Snapshot:
        step, count = map(int, self.file.read_text().split() or (1, 0))
        newest, older = self.runs[:count], self.runs[count:]
        moved = tuple(replace(run, summary_counts=Counts(40, step)) for run in newest)
        return replace(self, runs=(*moved, *older)).crafted(request)

    def crafted(self, request: Request) -> Snapshot:
        return FakeBackend.fetch(self, request)


class Counting(Monitor):
    """Tells how many polls it has shown."""

    file: Path

    @on(Monitor.Polled)
    def _count(self) -> None:
        self.call_next(self._tell)

    def _tell(self) -> None:
        self.file.with_suffix(".polls").write_text(f"{self.data.generation}")


def main(file: str, count: int) -> None:
    goes_on: dict[str, Any] = {"outcome": Outcome.PENDING, "status": Status.RUNNING, "summary_counts": Counts(40, 1)}
    runs = tuple(replace(a_run(1000 - n), completed_at=None, **goes_on) for n in range(count))
    stage = Told(runs=(*runs, hostile_run(900)), inbox=(told(1, 990),), file=Path(file), poll_seconds=POLL_SECONDS)
    monitor = Counting(stage.backend(), driver_class=diffing_driver())
    monitor.file = stage.file
    monitor.run()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
