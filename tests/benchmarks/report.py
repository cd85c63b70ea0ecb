"""What a measurement says, as a line of a table, and how lines are made of many repetitions."""

from __future__ import annotations

import os
import platform
import sqlite3
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Line:
    """One measure. `met` is None where there is no goal."""

    measure: str
    value: str
    goal: str = ""
    met: bool | None = None


_WIDTHS = (80, 36, 14)


def print_head(server: str, fsync: str) -> None:
    """The command that was given, and the machine's shape: without them nobody can repeat what follows."""
    memory = psutil.virtual_memory().total / 2**30
    write(f"$ {Path(sys.executable).name} -m tests.benchmarks {' '.join(sys.argv[1:])}".rstrip())
    write(f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GB, load {load()}")
    write(f"Python {platform.python_version()}, PostgreSQL {server} (fsync {fsync}), SQLite {sqlite3.sqlite_version}")
    write("Each value is the median of repetitions that alternate with what they are compared with.\n")
    _print_cells("measure", "value", "goal", "met?")
    _print_cells("-" * _WIDTHS[0], "-" * _WIDTHS[1], "-" * _WIDTHS[2], "----")


def print_line(line: Line) -> None:
    _print_cells(line.measure, line.value, line.goal, {True: "yes", False: "NO", None: ""}[line.met])


def _print_cells(*cells: str) -> None:
    padded = [cell.ljust(width) for cell, width in zip(cells, _WIDTHS, strict=False)]
    write(" | ".join([*padded, *cells[len(padded) :]]))


def write(line: object) -> None:
    sys.stdout.write(f"{line}".rstrip(" ") + "\n")
    sys.stdout.flush()


def say(text: str) -> None:
    """What is going on, for whoever waits; not part of the result."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text}\r")
        sys.stderr.flush()


def load() -> str:
    return " ".join(f"{value:.1f}" for value in os.getloadavg())


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of them does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def ratio_line(measure: str, values: Sequence[float], others: Sequence[float], shown: str, most: float | None) -> Line:
    """A line about `values` against `others`, pair by pair; `shown` says both in words. `most` is the goal, if there is one."""
    ratio = median([value / other for value, other in zip(values, others, strict=True)])
    if most is None:
        return Line(measure, f"{ratio:.2f} ({shown})")
    return Line(measure, f"{ratio:.2f} ({shown})", f"ratio <= {most:g}", ratio <= most)
