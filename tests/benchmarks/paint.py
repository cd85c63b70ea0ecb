"""From the command to the first painted row, and what the screens then take in memory."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from store.model.tables import operation_runs
from tests.benchmarks.report import Line, median, ratio_line, say
from tests.benchmarks.stage import KINDS, Stage, opened
from tests.benchmarks.terminal import terminal

GOAL = 1.2
MEMORY_GOAL = 110_000_000
DRIVERS = {"postgresql": "psycopg", "sqlite": "sqlite3"}


def command() -> list[str]:
    """`opsmon` as it is installed."""
    script = Path(sys.executable).parent / "opsmon"
    return [str(script)] if script.exists() else [sys.executable, "-m", "opsmon"]


def measure(stage: Stage) -> Iterator[Line]:
    for kind in KINDS:
        url = stage.loaded(kind, stage.scale.large)
        yield from _measure(stage, kind, url)


def _measure(stage: Stage, kind: str, url: str) -> Iterator[Line]:
    scale, environment = stage.scale, stage.environment(url)
    imports = [sys.executable, "-c", f"import textual.app, sqlalchemy, {DRIVERS[kind]}"]
    newest = _newest(url)
    paints, bases, frames, bare, memory = [], [], [], [], []
    for number in range(1 - scale.warm_up_paints, scale.paints + 1):
        say(f"{kind}: first paint, repetition {number} of {scale.paints}")
        base = _timed(imports, environment)
        textual = _timed([sys.executable, "-c", "import textual.app"], environment)
        with terminal(command(), environment) as screen:
            frame, paint = (at - screen.began for at in screen.read_until_all("loading", newest))
            if number == scale.paints:
                screen.read_for(scale.after_paint)
            memory.append(screen.memory())
            screen.press("q")
            screen.wait()
        if number > 0:
            paints.append(paint)
            bases.append(base)
            frames.append(frame)
            bare.append(textual)
    shown = f"{1000 * median(paints):.0f} and {1000 * median(bases):.0f} ms"
    yield ratio_line(
        f"{kind}: command to first row, {scale.large:,} runs, against its imports", paints, bases, shown, GOAL
    )
    shown = f"{1000 * median(frames):.0f} and {1000 * median(bare):.0f} ms"
    yield ratio_line(f"{kind}: command to an empty frame, against importing textual", frames, bare, shown, GOAL)
    most = max(memory)
    yield Line(f"{kind}: resident memory of the screens", f"{most / 1e6:.0f} MB", "< 110 MB", most < MEMORY_GOAL)


def _timed(imports: list[str], environment: dict[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run(imports, env=environment, check=True)
    return time.perf_counter() - began


def _newest(url: str) -> str:
    """The text by which the newest run's row is known: its number, which nothing else on the screen shows."""
    with opened(url) as db, db.read() as connection:
        return str(connection.execute(sa.select(sa.func.max(operation_runs.c.id))).scalar_one())
