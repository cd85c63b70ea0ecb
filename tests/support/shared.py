"""What all processes of one test run share: a PostgreSQL server, and prepared databases of both kinds.

The first process that needs something makes it, under a lock; the others wait for that and use it. The server lasts until the
last of them has ended, however that ends: each holds a lock that the kernel takes back, and a process waits for them all.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from tests.support import databases
from tests.support.postgres import CLUSTER, Postgres, Server

_WAITER: Final = (
    "import fcntl, os, sys; fcntl.flock(os.open(sys.argv[1], os.O_RDWR), fcntl.LOCK_EX); os.remove(sys.argv[2])"
)

#: Its process objects would complain that they are thrown away while what they stand for goes on.
_left: Final[list[Postgres]] = []


class Shared:
    """The things of one run, in its `folder`. Each process makes one of these."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server: Server | None = None

    @property
    def sqlite_template(self) -> Path:
        """A folder that holds a migrated database and whatever lies beside it."""
        return self.once("sqlite-template", databases.make_sqlite_template)

    def once(self, name: str, make: Callable[[Path], object]) -> Path:
        """A folder that `make` fills. If it raises, the next who asks has it done again, in a new folder."""
        told = self._folder / f"{name}.path"
        with _locked(self._folder / f"{name}.lock"):
            if not told.exists():
                folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self._folder))
                make(folder)
                told.write_text(str(folder))
        return Path(told.read_text())

    @property
    def server(self) -> Server:
        """The server, which holds the database `databases.TEMPLATE`."""
        if self._server is None:
            with _locked(self._folder / "postgres.lock"):
                # Held until this process ends. It waits while the server of those who came before is being stopped.
                users = os.open(self._folder / "postgres-users.lock", os.O_RDWR | os.O_CREAT, 0o600)
                fcntl.flock(users, fcntl.LOCK_SH)
                self._server = self._join()
        return self._server

    @property
    def cluster(self) -> Path:
        """What a server of a test's own begins with: all that the shared one began with."""
        assert self.server.folder is not None
        return self.server.folder / CLUSTER

    def _join(self) -> Server:
        known = self._folder / "postgres-folder"
        with contextlib.suppress(FileNotFoundError):
            return Server(Path(known.read_text()))
        started = _start_with_template()
        known.write_text(str(started.folder))
        _left.append(started)
        started.leave_to(
            [sys.executable, "-I", "-S", "-c", _WAITER, str(self._folder / "postgres-users.lock"), str(known)]
        )
        return started


def _start_with_template() -> Postgres:
    server = Postgres()
    try:
        server.start()
        databases.make_postgres_template(server)
        server.keep_cluster()
    except BaseException:
        server.remove()
        raise
    return server


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Within this block no other process of the run is in one of the same file."""
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)
