"""The built wheel works outside the checkout: an empty machine, a database, a worker, a run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.shared import Shared
from tests.support.waiting import HANG

ROOT = Path(__file__).parent.parent
ROOMS = ("opsmon", "screens", "store", "tasks", "migrations")

pytestmark = pytest.mark.wheel


class Installation:
    """An environment that holds opsmon as a user has it, and an empty folder to work in."""

    def __init__(self, environment: Path, folder: Path, database_url: str) -> None:
        self.program = environment / "bin" / "opsmon"
        self.folder = folder
        self.environment = {**os.environ, "OPSMON_DATABASE_URL": database_url}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.program, *arguments], cwd=self.folder, env=self.environment,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=HANG, check=False,
        )  # fmt: skip

    def answer(self, *arguments: str) -> Any:
        """What a command that has to succeed prints with --json."""
        done = self.run(*arguments, "--json")
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        return json.loads(done.stdout)


def finished(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=HANG, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def wheel(shared: Shared) -> Path:
    """Built once in a run, by whichever process is the first to want it."""
    (built,) = shared.once("dist", build).glob("*.whl")
    return built


def build(folder: Path) -> None:
    """By way of the sdist, so that this is complete too; with the lock's build back end, so without a network."""
    finished(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)


@pytest.fixture(scope="session")
def installed(wheel: Path, shared: Shared) -> Path:
    """A new environment with the wheel in it, made once in a run."""
    return shared.once("installed", lambda folder: install(wheel, folder))


def install(wheel: Path, environment: Path) -> None:
    """Make an environment that holds the wheel.

    Its dependencies are those of this environment, by one line in a .pth file: installing them again would need a
    network and most of a minute to show what the lock shows already. A folder added in this way is searched last, and
    .pth files in it are not read, so the editable install of the checkout stays out of sight; a test below makes sure.
    """
    finished(sys.executable, "-m", "venv", "--without-pip", environment, cwd=environment.parent)
    python = environment / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check")
    finished(*pip, "install", "--no-deps", "--no-index", wheel, cwd=environment.parent)
    (packages,) = environment.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")


@pytest.fixture
def make_opsmon(installed: Path, tmp_path: Path) -> Callable[[str], Installation]:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return lambda url: Installation(installed, folder, url)


@pytest.fixture
def opsmon(make_opsmon: Callable[[str], Installation], empty_database_url: str) -> Installation:
    return make_opsmon(empty_database_url)


@pytest.fixture
def worker(opsmon: Installation, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A worker on a migrated database. It must end by itself when asked to."""
    opsmon.answer("db", "upgrade")
    with (tmp_path / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            [opsmon.program, "worker"], cwd=opsmon.folder, env=opsmon.environment,
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        yield process
        process.send_signal(signal.SIGTERM)
        assert process.wait(HANG) == 0, (tmp_path / "worker.log").read_text()
    finally:
        process.kill()
        process.wait()


def test_wheel_holds_every_file_of_the_rooms_and_nothing_else(wheel: Path) -> None:
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    kinds = {".py", ".mako", ".tcss", ".typed", ".json", ".toml", ".sql"}
    written = {
        path.relative_to(ROOT).as_posix() for room in ROOMS for path in (ROOT / room).rglob("*") if path.suffix in kinds
    }
    assert held == written
    assert "migrations/script.py.mako" in held
    assert any(name.startswith("migrations/versions/0001") for name in held)


def test_sdist_holds_the_tests_but_no_leftovers(wheel: Path) -> None:
    (sdist,) = wheel.parent.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"tests/test_wheel.py", "Makefile", "LICENSE", "requirements.lock"} <= names
    assert not [name for name in names if ".venv" in name or "__pycache__" in name]


def test_checkout_is_out_of_sight(installed: Path, tmp_path: Path) -> None:
    code = f"import {', '.join(ROOMS)}; print(*(m.__file__ for m in ({', '.join(ROOMS)})), sep='\\n')"
    files = finished(installed / "bin" / "python", "-c", code, cwd=tmp_path).split()
    assert len(files) == len(ROOMS)
    assert all(Path(file).is_relative_to(installed) for file in files), files


def test_database_is_migrated(make_opsmon: Callable[[str], Installation], empty_sqlite_url: str) -> None:
    opsmon = make_opsmon(empty_sqlite_url)
    before = opsmon.run("db", "check")
    assert (before.returncode, "Traceback" in before.stderr) == (1, False), before.stderr
    opsmon.answer("db", "upgrade")
    opsmon.answer("db", "upgrade")  # twice is as good as once
    assert opsmon.run("db", "check").returncode == 0
    assert list(opsmon.folder.iterdir()) == []


@pytest.mark.worker
@pytest.mark.usefixtures("worker")
def test_probe_runs(opsmon: Installation) -> None:
    opsmon.answer("tenants", "add", "local")

    receipt = opsmon.answer("start", "system.probe", "--tenant", "local", "--param", "items=1", "--wait", str(HANG))

    assert receipt["receipt"] == "queued"
    assert (receipt["run"]["status"], receipt["run"]["outcome"]) == ("completed", "succeeded")
