"""`opsmon demo`: sets up a temporary database, two simulated tenants and past runs, and shows the screens on them.

Everything lives in one temporary folder, and in child processes that read a pipe from this process. However this
process ends, the children see the end of their pipe, and the last of them, a shell, removes the folder.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from opsmon.demo import history as demo_history
from opsmon.demo import postgres as demo_postgres
from opsmon.embedded.worker import LOG_VARIABLE, EmbeddedWorker
from opsmon.services import Services
from opsmon.settings import load
from opsmon.signals import ended_by_signals
from store import schema
from store.db.engine import Database
from store.errors import OpsmonError
from store.intune import schedules
from store.model.records import User
from store.people import access, admin
from store.runs import seeding, seeding_schedules
from store.sanitizer.sanitize import sanitize

#: What each tenant holds.
TENANTS: Final = {"contoso": "seed:7,policies:300", "fabrikam": "seed:11,policies:120"}
#: In fabrikam, compliance policies are always refused. Of the other requests every fourth is throttled for a second, 40 times.
FAULTS: Final[tuple[dict[str, object], ...]] = (
    {"tenant": "fabrikam", "path": "/deviceCompliancePolicies", "status": 403, "count": None},
    *({"tenant": "fabrikam", "status": 429, "retry_after": "1", "after": 3 * number + 2} for number in range(40)),
)
#: Who else works here: logins and names. Two of them, as the user may have the login of one.
COLLEAGUES: Final = {"alice": "Alice", "bob": "Bob", "carol": "Carol"}
#: A killed worker's run is given up sooner than usual, so that it is seen within a minute; what is set counts.
PACE: Final = {"OPSMON_BEAT_SECONDS": "2", "OPSMON_LOST_AFTER_SECONDS": "15"}
#: Seconds that the simulator may take to start.
SIMULATOR_SECONDS: Final = 20.0
SIMULATOR_LOG: Final = "simulator.log"
#: Cleans up however this process ends: waits for the end of standard input, stops PostgreSQL, removes the folder.
CLEANUP_SCRIPT: Final = """
trap '' HUP INT TERM
read -r _
pid=$(head -n 1 "$1/postgres/data/postmaster.pid" 2>/dev/null)
[ -z "$pid" ] || kill -QUIT "$pid" 2>/dev/null
for _ in 1 2 3 4 5 6 7 8; do rm -rf "$1" && [ ! -e "$1" ] && exit; sleep 1; done 2>/dev/null
"""


def run(postgres: bool, login: str | None = None) -> int:
    """Show the screens on a temporary database until the user quits, as `login` (default: the process's). Returns the exit code.

    Raises InputInvalid if `postgres` is set but PostgreSQL is not installed.
    """
    from opsmon.app import run_screens

    with ended_by_signals(), stage(postgres, login) as (services, user), _life(user.login):
        return run_screens(services, user)


@contextlib.contextmanager
def stage(postgres: bool = False, login: str | None = None) -> Iterator[tuple[Services, User]]:
    """Set up the demo without its screens and its life: yields services on its database, and the user. Removes everything
    afterwards.
    """
    if postgres:
        demo_postgres.installed()
    with contextlib.ExitStack() as put_away:
        folder = put_away.enter_context(_folder())
        # It starts while the database is created.
        simulator = put_away.enter_context(_simulator(folder))
        url = f"sqlite:///{folder / 'opsmon.db'}"
        if postgres:
            folder.chmod(0o711)  # if run by root, PostgreSQL runs as another account
            url = put_away.enter_context(demo_postgres.server(folder))
        put_away.enter_context(_environment(_settings(folder, url)))
        services = Services(load())
        put_away.callback(services.close)
        user = _fill(services.db, login)
        put_away.enter_context(_environment(_graph(_address(simulator, folder))))
        worker = EmbeddedWorker(services)
        put_away.callback(worker.kill)
        worker.start()
        yield services, user


# ---- the database


def _fill(db: Database, login: str | None) -> User:
    from opsmon.login import login_name

    schema.upgrade(db)
    cast = people_of(db, login or login_name())
    daily, _ = (schedules.add(db, cast.manager, cast.contoso.slug, one) for one in demo_history.schedules(utc_now()))
    seeding.seed_runs(db, demo_history.past_runs(replace(cast, schedule=daily.id)))
    seeding_schedules.seed_ticks(db, daily, demo_history.SCHEDULED_FOR, demo_history.MISSED)
    return cast.me


def utc_now() -> dt.datetime:
    """This machine's clock."""
    return dt.datetime.now(dt.UTC)


def colleagues(login: str) -> tuple[str, str]:
    """The logins of the operator of both tenants and the manager of contoso, who are others than `login`."""
    operator, manager = [name for name in COLLEAGUES if name != login][:2]
    return operator, manager


def people_of(db: Database, login: str) -> demo_history.Cast:
    """Make the tenants, `login` and its colleagues, with their roles."""
    operator, manager = colleagues(login)
    contoso, fabrikam = (admin.add_tenant(db, slug, slug.capitalize()) for slug in TENANTS)
    me, alice, bob = (admin.add_user(db, name, COLLEAGUES.get(name)) for name in (login, operator, manager))
    for name, tenant, role in (
        (login, "contoso", access.Role.OWNER),
        (login, "fabrikam", access.Role.OWNER),
        (operator, "contoso", access.Role.OPERATOR),
        (operator, "fabrikam", access.Role.OPERATOR),
        (manager, "contoso", access.Role.MANAGER),
        (manager, "fabrikam", access.Role.READONLY),
    ):
        admin.grant(db, name, tenant, role)
    return demo_history.Cast(contoso, fabrikam, me, alice, bob)


# ---- the surroundings


@contextlib.contextmanager
def _life(login: str) -> Iterator[None]:
    """Let the colleagues of `login` work within this block, in a process of its own: see life.py."""
    child = subprocess.Popen(  # noqa: S603 (our own command)
        [sys.executable, "-P", "-m", "opsmon.demo.life", *colleagues(login)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        _end(child, 5)


def _settings(folder: Path, url: str) -> dict[str, str]:
    # The user's own file must not be read: it may name other credentials, or be unreadable.
    config = folder / "opsmon.toml"
    config.touch()
    given = {name: os.environ.get(name, value) for name, value in PACE.items()}
    return {"OPSMON_DATABASE_URL": url, "OPSMON_CONFIG": str(config), LOG_VARIABLE: str(folder / "worker.log"), **given}


def _graph(simulator_url: str) -> dict[str, str]:
    from tasks.graph.simulator import CLIENT_ID, directory_id, secret

    found = {"OPSMON_GRAPH_URL": simulator_url, "OPSMON_GRAPH_AUTHORITY": simulator_url}
    for slug in TENANTS:
        prefix = f"OPSMON_CREDENTIALS_{slug.upper()}_"
        found[prefix + "DIRECTORY_ID"] = directory_id(slug)
        found[prefix + "CLIENT_ID"] = CLIENT_ID
        found[prefix + "CLIENT_SECRET"] = secret(slug)
    return found


@contextlib.contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables within this block: the worker, a separate process, reads its settings from them."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, old in before.items():
            if old is None:
                del os.environ[name]
            else:
                os.environ[name] = old


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="opsmon-demo-"))
    command = ["/bin/sh", "-c", CLEANUP_SCRIPT, "sh", str(folder)]
    cleaner = subprocess.Popen(command, stdin=subprocess.PIPE, cwd="/", start_new_session=True)  # noqa: S603
    try:
        yield folder
    finally:
        _end(cleaner, 15)


@contextlib.contextmanager
def _simulator(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    tenants = [part for slug, holds in TENANTS.items() for part in ("--tenant", f"{slug}={holds}")]
    module = [sys.executable, "-P", "-m", "tasks.graph.simulator"]
    with (folder / SIMULATOR_LOG).open("wb") as log:
        child = subprocess.Popen(  # noqa: S603 (our own command)
            [*module, "--port", "0", *tenants, "--fault", json.dumps(FAULTS), "--until-stdin-closes"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield child
    finally:
        _end(child, 2)


def _end(child: subprocess.Popen[bytes], seconds: float) -> None:
    """Close the child's standard input and wait for it to end; kill it after `seconds`."""
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            pipe.close()
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _address(simulator: subprocess.Popen[bytes], folder: Path) -> str:
    """The URL that the simulator prints. Raises OpsmonError if it does not start."""
    output = simulator.stdout
    line = output.readline() if output and select.select([output], [], [], SIMULATOR_SECONDS)[0] else b""
    try:
        return str(json.loads(line)["url"])
    except (ValueError, KeyError, TypeError):
        said = (folder / SIMULATOR_LOG).read_text(errors="replace").strip().splitlines()
        raise OpsmonError("the simulated tenants did not start", sanitize(said[-1] if said else "", 200)) from None
