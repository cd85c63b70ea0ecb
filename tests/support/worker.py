"""A real worker process: `opsmon worker` with the operations of tests/support/operations.py plugged in."""

from __future__ import annotations

import itertools
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from tests.support.operations import FOLDER
from tests.support.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
#: Seconds, as short as a busy machine allows.
QUICK: Mapping[str, object] = MappingProxyType(
    {
        "beat_seconds": 0.1,
        "rescue_seconds": 0.2,
        "lost_after_seconds": 2,
        "never_queued_after_seconds": 0.5,
        "message_lost_after_seconds": 1,
        "grace_seconds": 20,
    }
)
_ENTRY_POINTS = "[opsmon.operations]\ntests = tests.support.operations\n"

_numbers = itertools.count(1)


class WorkerProcess:
    """`opsmon worker` on the database at `url`. `settings` are those of opsmon.toml; its log is a file in `folder`."""

    def __init__(self, url: str, folder: Path, **settings: object) -> None:
        self._log = folder / f"worker-{next(_numbers)}.log"
        values = {**QUICK, "database_url": url, **settings}
        environment = {f"OPSMON_{name.upper()}": str(value) for name, value in values.items()}
        paths = [str(_plugins(folder)), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment |= {"PYTHONPATH": os.pathsep.join(paths), FOLDER: str(folder)}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "opsmon", "worker"],
                env={**os.environ, **environment},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.id = 0

    @property
    def log(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def ready(self) -> WorkerProcess:
        """Wait until it takes messages, and take down its id."""
        found = wait_for(self._is_ready, seconds=40, what="a worker that is ready", every=0.05)
        self.id = int(found[1])
        return self

    def _is_ready(self) -> re.Match[str] | None:
        assert self._process.poll() is None, self.log
        return re.search(r"worker (\d+) is ready", self.log)

    def says(self, text: str, seconds: float = 20) -> None:
        """Wait until its log holds `text`."""
        wait_for(lambda: text in self.log, seconds, f"{text!r} in the worker's log")

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def stop(self) -> None:
        """Ask it to stop, as systemd would."""
        self.signal(signal.SIGTERM)

    def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        self._process.kill()
        self._process.wait()

    def exit_code(self, seconds: float = 20) -> int:
        """Wait until it has ended by itself."""
        return self._process.wait(seconds)


def _plugins(folder: Path) -> Path:
    """A folder that an installed plug-in would look like, for PYTHONPATH."""
    plugins = folder / "plugins"
    information = plugins / "opsmon_tests-1.dist-info"
    information.mkdir(parents=True, exist_ok=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: opsmon-tests\nVersion: 1\n")
    (information / "entry_points.txt").write_text(_ENTRY_POINTS)
    return plugins
