"""A real worker process: `opsmon worker` with the operations of tests/support/operations.py plugged in."""

from __future__ import annotations

import itertools
import os
import re
import signal
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import psutil

from tests.support.forked import Forked
from tests.support.operations import FOLDER
from tests.support.waiting import HANG, wait_for

#: Beats and rounds come often; nobody is given up, and nothing queued again, unless a test makes it old (`Stage.age`).
QUICK: Mapping[str, object] = MappingProxyType(
    {
        "beat_seconds": 0.1,
        "rescue_seconds": 0.1,
        "lost_after_seconds": 10 * HANG,
        "never_queued_after_seconds": 10 * HANG,
        "message_lost_after_seconds": 10 * HANG,
        "grace_seconds": HANG,
    }
)
_ENTRY_POINTS = "[opsmon.operations]\ntests = tests.support.operations\n"

_numbers = itertools.count(1)


class WorkerProcess:
    """`opsmon worker` on the database at `url`. `settings` are those of opsmon.toml; its log is a file in `folder`."""

    def __init__(self, url: str, folder: Path, *argv: str, piped: bool = False, **settings: object) -> None:
        """`piped`: its standard input lasts until `close_input`."""
        self._log = folder / f"worker-{next(_numbers)}.log"
        environment = variables(**{**QUICK, "database_url": url, **settings})
        self._log.touch()
        self._process = Forked(
            ["worker", *argv],
            {**os.environ, **environment, FOLDER: str(folder)},
            folder,
            self._log,
            [str(plugins(folder))],
            piped=piped,
        )
        self.id = 0

    @property
    def log(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def is_stopped(self) -> bool:
        """Whether SIGSTOP has stopped every thread. Where the system does not tell of threads, the process counts."""
        try:
            threads = [stat.read_text() for stat in Path(f"/proc/{self.pid}/task").glob("*/stat")]
        except OSError:  # a thread that ended while it was looked at
            return False
        if not threads:
            return bool(psutil.Process(self.pid).status() == psutil.STATUS_STOPPED)
        return all(stat.rpartition(")")[2].split()[0] in "Tt" for stat in threads)

    @property
    def pid(self) -> int:
        return self._process.pid

    def ready(self) -> WorkerProcess:
        """Wait until it takes messages, and take down its id."""
        found = wait_for(self._is_ready, "a worker that is ready", seen=lambda: self.log)
        self.id = int(found[1])
        return self

    def _is_ready(self) -> re.Match[str] | None:
        if self._process.poll() is not None:
            raise RuntimeError(f"the worker has ended:\n{self.log}")
        return re.search(r"worker (\d+) is ready", self.log)

    def says(self, text: str) -> None:
        """Wait until its log holds `text`."""
        wait_for(lambda: text in self.log, f"{text!r} in the worker's log", seen=lambda: self.log)

    def signal(self, number: signal.Signals) -> None:
        self._process.signal(number)

    def stop(self) -> None:
        """Ask it to stop, as systemd would."""
        self.signal(signal.SIGTERM)

    def close_input(self) -> None:
        """End its standard input."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        self._process.kill()

    def exit_code(self) -> int:
        """Wait until it has ended by itself."""
        return self._process.wait()


def variables(**settings: object) -> dict[str, str]:
    """The environment that says so."""
    return {f"OPSMON_{name.upper()}": str(value) for name, value in settings.items()}


def plugins(folder: Path) -> Path:
    """A folder that an installed plug-in would look like, for PYTHONPATH."""
    plugins = folder / "plugins"
    information = plugins / "opsmon_tests-1.dist-info"
    information.mkdir(parents=True, exist_ok=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: opsmon-tests\nVersion: 1\n")
    (information / "entry_points.txt").write_text(_ENTRY_POINTS)
    return plugins
