"""`make bench` works: every measure at its smallest, with the real processes. How fast anything is is not asked here."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.benchmarks.__main__ import MEASURES
from tests.benchmarks.parent import PATIENCE, ChildFailed
from tests.benchmarks.scale import TINY
from tests.benchmarks.stage import Stage, stage
from tests.support import databases
from tests.support.waiting import wait_for

pytestmark = pytest.mark.benchmark
ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def small() -> Iterator[Stage]:
    """One server, and one database of each kind that holds history, for all measures."""
    with stage(TINY) as found:
        yield found


def own_children() -> set[psutil.Process]:
    return set(psutil.Process().children())


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", MEASURES)
def test_a_measure_tells_something_and_leaves_no_process_behind(small: Stage, name: str) -> None:
    before = own_children()
    lines = list(MEASURES[name](small))
    assert lines
    assert [line for line in lines if not (line.measure and line.value)] == []
    assert own_children() == before
    # The worker beside the screens ends by itself, some moments after them.
    wait_for(lambda: not small.inhabitants(), "what the screens have started to end", seconds=PATIENCE)


def start_one(small: Stage, queue: str) -> None:
    with small.child("starter", small.founded("sqlite"), queue) as starter:
        starter.wait_until_ready()
        starter.tell(1)
        for _ in ("when it began", "when it ended"):
            starter.hear()


def test_a_child_that_fails_is_reported_with_its_own_log(small: Stage, tmp_path: Path) -> None:
    before = own_children()
    with pytest.raises(ChildFailed) as caught:
        start_one(small, queue=databases.sqlite_url(tmp_path))  # which has no tables
    (log,) = caught.value.__notes__
    assert str(caught.value) == "the starter ended with 1"
    assert log.startswith("the log of the starter:\n")
    assert log.endswith("RuntimeError: run 1: dispatch_failed\n")
    assert own_children() == before


def test_the_command_prints_a_table() -> None:
    done = command("--tiny", "idle")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("$ python")
    cells = [[cell.strip() for cell in line.split(" | ")] for line in done.stdout.splitlines() if " | " in line]
    assert cells[0] == ["measure", "value", "goal", "met?"]
    assert [row[0].partition(":")[0] for row in cells[2:]] == ["postgresql", "sqlite"]
    assert all(len(row) == 4 and row[1] for row in cells[2:])


def test_the_command_lists_the_measures_when_there_is_none_of_that_name() -> None:
    done = command("--tiny", "idle", "speed")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"there is no measure 'speed': known are {', '.join(MEASURES)}\n"
