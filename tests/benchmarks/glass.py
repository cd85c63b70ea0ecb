"""What comes to a terminal, and what it costs the program: bytes, processor time, and how soon a page is there."""

from __future__ import annotations

import codecs
import contextlib
import functools
import itertools
import sys
import time
from collections.abc import Callable, Iterator

import psutil
import sqlalchemy as sa

from store.db.engine import Database
from store.model.tables import operation_runs
from store.model.types import utcnow
from tests.benchmarks.feel import ROWS, running
from tests.benchmarks.paint import command
from tests.benchmarks.parent import PATIENCE
from tests.benchmarks.report import Line, median, percentile, say
from tests.benchmarks.scale import Scale
from tests.benchmarks.stage import KINDS, Stage, opened
from tests.benchmarks.terminal import Terminal, terminal
from tests.support.emulator import Emulator

COLUMNS, LINES = 120, 40
#: Seconds without a byte after which a paint counts as complete.
SETTLED = 0.25


class Glass:
    """A terminal that is looked at. Times are those at which the bytes arrived: reading them takes longer."""

    def __init__(self, screen: Terminal) -> None:
        self.screen = screen
        self.emulator = Emulator(COLUMNS, LINES)
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        self.bytes = 0

    def read(self, seconds: float) -> float:
        """Read what comes within so long. Returns when it came."""
        data = self.screen.read(seconds)
        at = time.perf_counter()
        self.bytes += len(data)
        self.emulator.feed(self._decode(data))
        return at

    def until(self, holds: Callable[[list[str]], object]) -> float:
        """Read until the picture is as wanted. Returns when it was. Raises TimeoutError, showing the picture."""
        at = time.perf_counter()
        deadline = at + PATIENCE
        while not holds(self.emulator.display):
            if time.perf_counter() > deadline:
                raise TimeoutError("\n".join(self.emulator.display))
            at = self.read(0.5)
        return at

    def settle(self) -> None:
        """Read until nothing comes any more."""
        before = -1
        while before != self.bytes:
            before = self.bytes
            self.read(SETTLED)

    def cost(self, act: Callable[[], object]) -> int:
        """The bytes that come of what is done."""
        self.settle()
        before = self.bytes
        act()
        self.settle()
        return self.bytes - before

    def rows(self) -> list[str]:
        """The numbers of the runs on the glass."""
        return [line.split()[2] for line in self.emulator.display[4:-1] if len(line.split()) > 3]


@contextlib.contextmanager
def looking(stage: Stage, url: str, program: list[str] | None = None) -> Iterator[Glass]:
    with terminal(program or command(), stage.environment(url), columns=COLUMNS, lines=LINES) as screen:
        yield Glass(screen)


def sent(stage: Stage) -> Iterator[Line]:
    """Bytes: of polls with and without changes, of the first paint, of a page; beside a plain DataTable."""
    first, page, changed = _plain(stage)
    yield Line(
        "a plain DataTable: first paint, page move, five rows changed", f"{first:,}, {page:,}, {changed:,} bytes"
    )
    url, scale = stage.empty("postgresql"), stage.scale
    ids = running(url)
    with opened(url) as db, looking(stage, url) as glass:
        glass.until(lambda lines: str(ids[-1]) in "".join(lines))
        glass.settle()
        yield _bytes("first paint", glass.bytes, 15_000)
        glass.cost(lambda: time.sleep(scale.quiet))
        quiet = glass.cost(lambda: _reading_on(glass, scale.look))
        yield _bytes(f"{scale.look:.0f} polls in which nothing changed", quiet, 0)
        steps = itertools.count(1)
        for count in (1, 5, 20):
            costs = [glass.cost(lambda: _change(db, ids, scale, count, next(steps))) for _ in range(scale.changes)]  # noqa: B023
            yield _bytes(f"{count} of {ROWS} rows changed", int(median(costs)), 200 + 150 * count)
    with looking(stage, stage.loaded("postgresql", scale.small)) as glass:
        glass.until(lambda lines: "live" in lines[0])
        costs = [glass.cost(lambda: glass.screen.press("\x04")) for _ in range(scale.changes)]
        yield _bytes("a page move", int(median(costs)), 8_000)


def _plain(stage: Stage) -> tuple[int, int, int]:
    program = [sys.executable, "-m", "tests.benchmarks.plain", "200"]
    with looking(stage, "", program) as glass:
        glass.until(lambda lines: "700000" in "".join(lines))
        glass.settle()
        first = glass.bytes
        return first, glass.cost(lambda: glass.screen.press("d")), glass.cost(lambda: glass.screen.press("u"))


def _bytes(measure: str, count: int, goal: int) -> Line:
    return Line(f"bytes, {COLUMNS}x{LINES}: {measure}", f"{count:,}", f"<= {goal:,}", count <= goal)


def _reading_on(glass: Glass, seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        glass.read(0.2)


def _change(db: Database, ids: list[int], scale: Scale, count: int, step: int) -> None:
    """Another progress for so many runs in the list, and time for a poll to see it."""
    with db.write() as connection:
        counted = {"total": 100, "success": step, "failed": 0, "skipped": 0}
        chosen = ids[-count:] if count > ROWS // 2 else ids[-count * 2 :: 2]
        connection.execute(
            sa.update(operation_runs)
            .where(operation_runs.c.id.in_(chosen))
            .values(summary_counts=counted, updated_at=utcnow())
        )
    time.sleep(scale.seen_after)


def work(stage: Stage) -> Iterator[Line]:
    """Processor time of the screens with a poll a second: nothing changes; five of forty rows change each second."""
    scale = stage.scale
    for kind in KINDS:
        url = stage.empty(kind)
        ids = running(url)
        with opened(url) as db, looking(stage, url) as glass:
            change = functools.partial(_change, db, ids, scale, 5)
            glass.until(functools.partial(_shows, str(ids[-1])))
            _reading_on(glass, scale.quiet)
            still, moving = (_burnt(glass, scale.work, each_second) for each_second in (lambda _: None, change))
            yield _share(f"{kind}: processor, nothing changes", still, scale.work, 0.7)
            yield _share(f"{kind}: processor, 5 of {ROWS} rows change each second", moving, scale.work, 2.0)


def _shows(text: str, lines: list[str]) -> bool:
    return text in "".join(lines)


def _burnt(glass: Glass, seconds: float, each_second: Callable[[int], None]) -> float:
    """The share of one core, in per cent, over so many seconds."""
    process = psutil.Process(glass.screen.process.pid)
    began, before = time.perf_counter(), process.cpu_times()
    second = 0
    while time.perf_counter() < began + seconds:
        second += 1
        each_second(second)
        _reading_on(glass, max(0.0, began + second - time.perf_counter()))
    after, took = process.cpu_times(), time.perf_counter() - began
    return float(100 * (after.user + after.system - before.user - before.system) / took)


def _share(measure: str, share: float, seconds: float, goal: float) -> Line:
    return Line(measure, f"{share:.2f} % of a core over {seconds:g} s", f"<= {goal:g} %", share <= goal)


def pages(stage: Stage) -> Iterator[Line]:
    """Page down through a hundred thousand runs, each page complete before the next key."""
    scale = stage.scale
    for kind in KINDS:
        with looking(stage, stage.loaded(kind, scale.large)) as glass:
            glass.until(lambda lines: "live" in lines[0])
            glass.settle()
            waits, memory = _paged(glass, kind, scale)
        worst, spread = percentile(waits, 0.99), (max(memory) - min(memory)) / 1e6
        shown = f"p50 {median(waits):.0f}, p99 {worst:.0f}, max {max(waits):.0f} ms"
        measure = f"{kind}: {len(waits):,} pages down at {scale.large:,} runs, key to page"
        yield Line(measure, shown, "p99 <= 80 ms", worst <= 80)
        measure = f"{kind}: memory meanwhile, from the 500th page on"
        yield Line(measure, f"within {spread:.1f} MB", "<= 5 MB", spread <= 5)


def _paged(glass: Glass, kind: str, scale: Scale) -> tuple[list[float], list[int]]:
    waits: list[float] = []
    memory: list[int] = []
    per_page = LINES - 6
    runs = min(scale.paged_runs, scale.large // 2)
    # The first one takes the cursor to the last row in view, and moves no row.
    glass.screen.press("\x04")
    glass.settle()
    while len(waits) * per_page < runs:
        before = glass.rows()
        pressed = glass.screen.press("\x04")
        at = glass.until(lambda _: _is_next_page(before, glass.rows()))  # noqa: B023
        waits.append(1000 * (at - pressed))
        if len(waits) % scale.pages_between_looks == 0:
            say(f"{kind}: {len(waits)} pages")
            if len(waits) >= min(500, runs // per_page // 2):
                memory.append(glass.screen.memory())
    return waits, memory or [0]


def _is_next_page(before: list[str], now: list[str]) -> bool:
    """Whole, and other rows than before but for at most two that one sees again."""
    return len(now) >= len(before) and len(set(before) & set(now)) <= 2
