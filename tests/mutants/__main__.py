"""`python -m tests.mutants [NAME ...]`: make each wrong change of the catalogue in a copy of the checkout, and see who notices.

A mutant is noticed when one of its tests fails. A test that could not be run (wrong node id, an error before it began, a
hang) has noticed nothing: that is told as broken.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.mutants.catalogue import Mutant, load

ROOT = Path(__file__).parents[2]
#: Seconds that the tests of one mutant may take.
MOST = 300.0
#: The same before anything was changed: there they all run, one after the other.
MOST_BEFORE = 3600.0
#: As pytest says it: all passed, some failed.
PASSED, FAILED = 0, 1
#: What is no part of a checkout, where no git can tell.
LEFT_OUT = shutil.ignore_patterns("__pycache__", ".*", "build", "dist", "*.egg-info", "*.pyc")


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant, in words, and after how many seconds."""

    mutant: Mutant
    noticed: bool
    words: str
    seconds: float
    output: str = ""


# ---- copies


def copied(into: Path) -> Path:
    """A copy of the checkout: what git tracks, as it is in the working tree, or everything where there is no git."""
    if not (tracked := list(tracked_files())):
        shutil.copytree(ROOT, into, ignore=LEFT_OUT)
    for name in tracked:
        (into / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, into / name)
    return into


def tracked_files() -> Iterator[str]:
    """Paths from the root of the checkout. Nothing where there is no git, or a checkout of something else around this one."""
    if not shutil.which("git") or not (ROOT / ".git").exists():
        return
    told = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    yield from (name for name in os.fsdecode(told).split("\0") if name and (ROOT / name).is_file())


@contextlib.contextmanager
def changed(copy: Path, mutant: Mutant) -> Iterator[None]:
    """Meanwhile the copy has the mutant's change."""
    path = copy / mutant.file
    before = path.read_bytes()
    path.write_text(mutant.applied_to(before.decode()), encoding="utf-8")
    try:
        yield
    finally:
        path.write_bytes(before)


# ---- running tests


class Runner:
    """Runs pytest in copies, any number at a time. `stop` ends whatever is under way, and nothing is started after it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: set[subprocess.Popen[str]] = set()
        self._stopped = False

    def pytest(self, copy: Path, tests: Iterable[str], seconds: float) -> tuple[int | None, str]:
        """Run these tests. Returns pytest's exit code, None after so many seconds, and what it printed."""
        # The same seed each time: what Hypothesis finds in one run, it finds in the next.
        options = ["-x", "-q", "-p", "no:cacheprovider", "-n", "0", "--hypothesis-seed=0"]
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
            process = self._start([sys.executable, "-m", "pytest", *options, *tests], copy, output)
            try:
                code = process.wait(seconds)
            except subprocess.TimeoutExpired:
                code = None
            finally:
                self._end(process)
            output.seek(0)
            return code, output.read()

    def _start(self, command: Sequence[str], copy: Path, output: IO[str]) -> subprocess.Popen[str]:
        # Bytecode of an earlier mutant could be taken for that of this one: files are told apart by their second and size.
        settings = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(copy)}
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"} | settings
        with self._lock:
            if self._stopped:
                raise KeyboardInterrupt
            # A session of its own: what a test that was killed had started is found, and ended, with it.
            process = subprocess.Popen(
                command, cwd=copy, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                text=True, start_new_session=True,
            )  # fmt: skip
            self._under_way.add(process)
        return process

    def _end(self, process: subprocess.Popen[str]) -> None:
        _kill(process)
        process.wait()
        with self._lock:
            self._under_way.discard(process)

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            for process in self._under_way:
                _kill(process)


def _kill(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # all of it has ended
        os.killpg(process.pid, signal.SIGKILL)


# ---- judging


def judge(runner: Runner, copy: Path, mutant: Mutant) -> Verdict:
    """Make the change, run its tests, and take it back."""
    began = time.monotonic()
    with changed(copy, mutant):
        code, output = runner.pytest(copy, mutant.tests, MOST)
    noticed, words = verdict_on(mutant, code, output)
    return Verdict(mutant, noticed, words, time.monotonic() - began, output)


def verdict_on(mutant: Mutant, code: int | None, output: str) -> tuple[bool, str]:
    """Whether the mutant was noticed, and how to say that."""
    if code is None:
        return mutant.may_hang, "noticed: it hangs" if mutant.may_hang else f"broken: no end within {MOST:.0f} s"
    if code == PASSED:
        return False, "SURVIVED"
    # Who fails before the test begins has not asked what the test asks.
    failed = re.search(r"^FAILED (.+?)(?: - .*)?$", output, re.MULTILINE)
    if code == FAILED and failed:
        return True, f"noticed by {failed[1]}"
    return False, f"broken: pytest says {code}"


def all_judged(runner: Runner, copies: Sequence[Path], mutants: Sequence[Mutant]) -> Iterator[Verdict]:
    """A verdict on each, in their order; as many at a time as there are copies."""
    free: queue.SimpleQueue[Path] = queue.SimpleQueue()
    for copy in copies:
        free.put(copy)

    def work(mutant: Mutant) -> Verdict:
        copy = free.get()
        try:
            return judge(runner, copy, mutant)
        finally:
            free.put(copy)

    with ThreadPoolExecutor(len(copies)) as pool:
        try:
            yield from pool.map(work, mutants)
        finally:
            runner.stop()


# ---- the command


def main() -> int:
    arguments = _arguments()
    mutants = _chosen(arguments.names)
    if arguments.list:
        for mutant in mutants:
            write(f"{mutant.name}\n    {mutant.rule}\n    {mutant.file}: {', '.join(mutant.tests)}")
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything is put away
    runner = Runner()
    with tempfile.TemporaryDirectory(prefix="opsmon-mutants-") as folder:
        try:
            return _carry_out(runner, Path(folder).resolve(), mutants, arguments.jobs)
        finally:
            runner.stop()


def _carry_out(runner: Runner, folder: Path, mutants: Sequence[Mutant], jobs: int) -> int:
    copies = [copied(folder / str(number)) for number in range(min(jobs, len(mutants)))]
    tests = list(dict.fromkeys(test for mutant in mutants for test in mutant.tests))
    began = time.monotonic()
    code, output = runner.pytest(copies[0], tests, MOST_BEFORE)
    if code != PASSED:
        write(f"{output}\nThe tests must pass before anything is changed: pytest says {code}.")
        return 1
    write(f"Unchanged, {len(tests)} tests pass, in {time.monotonic() - began:.0f} s.\n")
    verdicts = []
    for verdict in all_judged(runner, copies, mutants):
        verdicts.append(verdict)
        write(f"{verdict.seconds:5.1f} s  {verdict.mutant.name}: {verdict.words}")
    return _summary(verdicts)


def _summary(verdicts: Sequence[Verdict]) -> int:
    missed = [verdict for verdict in verdicts if not verdict.noticed]
    for verdict in missed:
        write(f"\n{verdict.mutant.name}: {verdict.words}\n    {verdict.mutant.rule}")
        if verdict.words.startswith("broken"):
            write(verdict.output)
    write(f"\n{len(verdicts) - len(missed)} of {len(verdicts)} wrong changes were noticed.")
    return 1 if missed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="a mutant of the catalogue; default all")
    parser.add_argument("--list", action="store_true", help="say what the mutants are, and run nothing")
    parser.add_argument("-j", "--jobs", type=_jobs, default=2, metavar="N", help="so many at a time; default 2")
    return parser.parse_args()


def _jobs(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError("give a whole number of at least 1")
    return int(text)


def _chosen(names: Sequence[str]) -> tuple[Mutant, ...]:
    mutants = load()
    if unknown := set(names) - {mutant.name for mutant in mutants}:
        sys.exit(f"there is no mutant '{min(unknown)}': --list shows them")
    return tuple(mutant for mutant in mutants if not names or mutant.name in names)


def write(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
