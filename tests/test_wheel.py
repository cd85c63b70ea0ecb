"""The built wheel works outside the checkout: an empty machine, a database, a worker, a run."""

from __future__ import annotations

import json
import os
import pwd
import signal
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("opsmon", "screens", "store", "tasks", "migrations")

# One worker builds the wheel, for all tests here.
pytestmark = pytest.mark.timeout(180)


class Installation:
    """An environment that holds opsmon as a user has it, and an empty folder to work in."""

    def __init__(self, environment: Path, folder: Path, database_url: str) -> None:
        self.program = environment / "bin" / "opsmon"
        self.folder = folder
        self.environment = {**os.environ, "OPSMON_DATABASE_URL": database_url}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.program, *arguments], cwd=self.folder, env=self.environment,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    def answer(self, *arguments: str) -> Any:
        """What a command that has to succeed prints with --json."""
        done = self.run(*arguments, "--json")
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        return json.loads(done.stdout)


def finished(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built by way of the sdist, so that this is complete too; with the lock's build back end, so without a network."""
    folder = tmp_path_factory.mktemp("dist")
    finished(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with the wheel in it.

    Its dependencies are those of this environment, by one line in a .pth file: installing them again would need a
    network and most of a minute to show what the lock shows already. A folder added in this way is searched last, and
    .pth files in it are not read, so the editable install of the checkout stays out of sight; a test below makes sure.
    """
    environment = tmp_path_factory.mktemp("clean") / "venv"
    finished(sys.executable, "-m", "venv", "--without-pip", environment, cwd=environment.parent)
    python = environment / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check"]
    finished(*pip, "install", "--no-deps", "--no-index", wheel, cwd=environment.parent)
    (packages,) = environment.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return environment


@pytest.fixture
def opsmon(installed: Path, empty_database_url: str, tmp_path: Path) -> Installation:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return Installation(installed, folder, empty_database_url)


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
        assert process.wait(20) == 0, (tmp_path / "worker.log").read_text()
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


def test_database_is_migrated(opsmon: Installation) -> None:
    before = opsmon.run("db", "check")
    assert (before.returncode, "Traceback" in before.stderr) == (1, False), before.stderr
    opsmon.answer("db", "upgrade")
    opsmon.answer("db", "upgrade")  # twice is as good as once
    assert opsmon.run("db", "check").returncode == 0
    assert list(opsmon.folder.iterdir()) == []


@pytest.mark.usefixtures("worker")
def test_probe_runs(opsmon: Installation) -> None:
    login = pwd.getpwuid(os.getuid()).pw_name
    opsmon.answer("tenants", "add", "local")
    opsmon.answer("users", "add", login)
    opsmon.answer("users", "grant", login, "--tenant", "local", "--role", "owner")

    receipt = opsmon.answer("start", "system.probe", "--tenant", "local", "--param", "items=1", "--wait", "30")

    assert receipt["receipt"] == "queued"
    assert (receipt["run"]["status"], receipt["run"]["outcome"]) == ("completed", "succeeded")
