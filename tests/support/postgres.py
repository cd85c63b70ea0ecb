"""A real PostgreSQL for tests: the demo's, with settings for many connections, and with what tests do to a server."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import LiteralString, Self

import psutil
import psycopg
from psycopg import sql

from opsmon.demo import postgres as demo_postgres
from opsmon.demo.postgres import PackagedServer
from store.errors import DatabaseAway
from tests.support.waiting import HANG, wait_for

#: The demo's, and: room for many tests, nothing in parallel, no surprises of the machine's.
SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        **demo_postgres.SETTINGS,
        "max_connections": "500",
        "shared_buffers": "64MB",
        "max_parallel_workers_per_gather": "0",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
    }
)

#: As the server of an installation has it, and a log that takes little room.
INITDB = ("--wal-segsize=1", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")

#: Where a prepared cluster lies in the folder of the server that made it.
CLUSTER = "cluster"

#: Outlives the tests' process however that ends, then stops the server and removes its folder. SIGQUIT because nobody
#: needs the data any more; SIGCONT first because a frozen server hears nothing else.
UNDERTAKER = """
read -r _
pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null)
if [ -n "$pid" ]; then
    kill -CONT "$pid"; kill -QUIT "$pid"
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do kill -0 "$pid" || break; sleep 0.5; done
fi 2>/dev/null
rm -rf "$1"
"""


class Server:
    """A server that somebody else runs: databases are made and dropped in it."""

    def __init__(self, folder: Path | None) -> None:
        """`folder` holds the server's socket."""
        self.folder = folder

    def url_of(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def create(self, database: str, template: str = "template0") -> str:
        """Make a database, as a copy of one that nobody is connected to, and return its URL."""
        names = sql.Identifier(database), sql.Identifier(template)
        self.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))
        return self.url_of(database)

    def drop(self, database: str) -> None:
        """Remove a database, whoever is connected to it."""
        self.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))

    def execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url_of("postgres"), autocommit=True, connect_timeout=HANG) as connection:
            connection.execute(statement)


class Postgres(Server):
    """One server in a folder of its own, gone together with it. `start` it, or use it as a context manager."""

    def __init__(self, settings: Mapping[str, str] | None = None, cluster: Path | None = None) -> None:
        """`settings` are added to, or replace, those of SETTINGS. `cluster` is copied instead of a new one being made."""
        super().__init__(None)
        self.settings = {**SETTINGS, **(settings or {})}
        self._cluster = cluster
        self._server: PackagedServer | None = None
        self._undertaker: subprocess.Popen[bytes] | None = None
        self._frozen = False

    # ---- life

    def start(self) -> None:
        """Start the server, making its folder and its cluster first if need be, and wait until it answers."""
        if self._server is None:
            self._server = self._made()
        if self._server.pid is not None:
            return
        self._server.start()
        wait_for(self._answers, "PostgreSQL to start", seen=lambda: self._log.read_text()[-2000:])

    @property
    def pid(self) -> int:
        """The postmaster's."""
        assert self._server is not None
        assert self._server.pid is not None
        return self._server.pid

    def stop(self, immediately: bool = False) -> None:
        """Stop the server as a shutdown would, or `immediately` as a crash would. Its data stay for another `start`."""
        if self._server is not None:
            self.thaw()
            self._server.stop(signal.SIGQUIT if immediately else signal.SIGINT, HANG)

    def remove(self) -> None:
        """Stop the server for good and delete everything of it."""
        self.stop(immediately=True)
        if self._undertaker is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._undertaker.communicate(b"\n", timeout=HANG)
        self.folder = self._server = self._undertaker = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def keep_cluster(self) -> None:
        """Lay down a copy of all databases as they are now, for other servers to begin with, at `folder / CLUSTER`."""
        assert self.folder is not None
        assert self._server is not None
        self.stop()
        subprocess.run(["cp", "-Rp", self._server.data, self.folder / CLUSTER], check=True)
        self.start()

    def leave_to(self, command: Sequence[str]) -> None:
        """From now on the server lasts for as long as this process: it is stopped, and its folder removed, when that ends."""
        assert self._undertaker is not None
        assert self._undertaker.stdin is not None
        self._waiter = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self._undertaker.stdin, cwd="/", start_new_session=True
        )
        self._undertaker.stdin.close()

    # ---- refusing changes

    @contextlib.contextmanager
    def reading_only(self) -> Iterator[None]:
        """Within the block it refuses changes, in sessions that are open as well, as a standby does."""
        self._default_read_only("SET default_transaction_read_only = on")
        try:
            yield
        finally:
            self._default_read_only("RESET default_transaction_read_only")

    def _default_read_only(self, change: LiteralString) -> None:
        self.execute(sql.SQL("ALTER SYSTEM {}").format(sql.SQL(change)))
        self.execute(sql.SQL("SELECT pg_reload_conf()").format())

    # ---- ice

    def freeze(self) -> None:
        """Stop every process of the server in its tracks: connections stay open and nothing ever answers."""
        postmaster = psutil.Process(self.pid)
        postmaster.suspend()  # first, so that it starts no more children
        for process in postmaster.children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.suspend()
        self._frozen = True

    def thaw(self) -> None:
        """Let a frozen server go on where it was."""
        if not self._frozen or self._server is None or self._server.pid is None:
            return
        postmaster = psutil.Process(self.pid)
        for process in [*postmaster.children(recursive=True), postmaster]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()
        self._frozen = False

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Frozen within the block."""
        self.freeze()
        try:
            yield
        finally:
            self.thaw()

    # ---- inside

    @property
    def _log(self) -> Path:
        assert self.folder is not None
        return self.folder / "log"

    def _made(self) -> PackagedServer:
        self.folder = Path(tempfile.mkdtemp(prefix="opsmon-pg-", dir=_temporary()))
        self._undertaker = subprocess.Popen(
            ["/bin/sh", "-c", UNDERTAKER, "sh", self.folder],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, cwd="/", start_new_session=True,
        )  # fmt: skip
        server = PackagedServer(self.folder, log=self._log, copies=self.folder, settings=self.settings, initdb=INITDB)
        try:
            server.make_cluster(self._cluster)
        except DatabaseAway as error:
            raise RuntimeError(f"initdb failed:\n{self._log.read_text()}") from error
        return server

    def _answers(self) -> bool:
        assert self._server is not None
        if self._server.pid is None:
            raise RuntimeError(f"PostgreSQL did not start:\n{self._log.read_text()[-2000:]}")
        try:
            psycopg.connect(self.url_of("postgres"), connect_timeout=10).close()
        except psycopg.OperationalError:
            return False
        return True


def _temporary() -> Path:
    """A folder for temporary files whose path leaves room for a socket's name (108 bytes) and lets the server pass."""
    for folder in (Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")):
        if len(str(folder)) < 60 and (demo_postgres.account() is None or demo_postgres.passable(folder)):
            return folder
    raise RuntimeError("found no folder for temporary files that PostgreSQL can reach")
