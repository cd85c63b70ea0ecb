"""Whatever a plug-in does while it is imported: what opsmon prints, and how it ends, stays opsmon's, and the others load.

What can be told without a process of its own is in tests/tasks/sdk/test_registry.py.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from store.model.records import Outcome
from store.runs import lifecycle
from tests.opsmon.conftest import CliHarness
from tests.support.forked import ROOT
from tests.support.operations import FOLDER
from tests.support.plugged import plug_in
from tests.support.waiting import HANG, wait_for
from tests.support.worker import WorkerProcess, plugins

#: name: (what it does, what is said of it). The plug-in "late" is given no time.
BAD = {
    "exits": ("import sys; sys.exit(3)", "SystemExit: 3"),
    "ends": ("raise SystemExit", "SystemExit"),
    "raises": ("1 / 0", "ZeroDivisionError: division by zero"),
    "escapes": ("class Odd(BaseException):\n    def __str__(self): raise self\nraise Odd", "Odd"),
    "interrupts": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "asks": ("input('your name? ')", "EOFError: EOF when reading a line"),
}
LATE = {
    "waits": "import threading; threading.Event().wait()",
    "spins": "while True: print('still here', flush=True)",
}
#: They may do that; nobody else notices.
ODD = {
    "prints": "print('hello')",
    "writes": "import os; os.write(1, b'hello')",
    "calls": "import os; os.system('echo hello')",
    "replaces": "import io, sys; sys.stdout = sys.stderr = io.StringIO()",
    "wraps": "import io, sys; sys.stdout = io.TextIOWrapper(sys.stdout.buffer); sys.stdout.write('hello')",
    "closes": "import os, sys; sys.stdout.close(); os.close(1)",
    "stays": "import threading; threading.Thread(target=threading.Event().wait, daemon=False).start()",
    "pools": "import threading, concurrent.futures as c; c.ThreadPoolExecutor().submit(threading.Event().wait)",
}


def run_opsmon(folder: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    """The command in an interpreter of its own, with the plug-ins in `folder`."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(folder), str(ROOT)))}
    return subprocess.run(
        [sys.executable, "-m", "tests.support.plugged", *argv],
        env=environment,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=HANG,
        check=False,
    )


def listed(done: subprocess.CompletedProcess[str]) -> set[str]:
    """The operations that it printed, as JSON and nothing else."""
    assert done.returncode == 0, done.stderr
    return {found["type"] for found in json.loads(done.stdout)} - {
        "system.probe",
        "inventory.sync",
        "policy.sync",
        "directory_groups.sync",
        "backup_set.create",
        "backup_set.add_policies",
        "drift.generate",
        "backup_schedule.run_now",
        "backup_schedule.retry",
        "restore.preview",
        "restore.execute",
    }


@pytest.mark.worker
@pytest.mark.parametrize("how", BAD)
def test_a_plug_in_that_breaks_off_is_named_and_the_others_load(how: str, tmp_path: Path) -> None:
    source, why = BAD[how]
    plug_in(plug_in(tmp_path, "bad", source), "good")
    done = run_opsmon(tmp_path, "operations", "--json")
    assert listed(done) == {"good.run"}
    assert done.stderr == f"opsmon: plug-in 'bad' cannot be loaded: {why}: see its package\n"


@pytest.mark.worker
@pytest.mark.parametrize("how", LATE)
def test_a_plug_in_that_never_ends_is_given_up(how: str, tmp_path: Path) -> None:
    plug_in(plug_in(tmp_path, "late", LATE[how]), "good")
    done = run_opsmon(tmp_path, "operations", "--json")
    assert listed(done) == {"good.run"}
    assert done.stderr == "opsmon: plug-in 'late' cannot be loaded: it has not ended after 0.01 s: see its package\n"


@pytest.mark.worker
@pytest.mark.parametrize("how", ODD)
def test_nobody_notices_what_a_plug_in_does_besides(how: str, tmp_path: Path) -> None:
    plug_in(plug_in(tmp_path, "odd", ODD[how]), "good")
    done = run_opsmon(tmp_path, "operations", "--json")
    assert listed(done) == {"odd.run", "good.run"}
    assert done.stderr == ""


@pytest.mark.worker
def test_complaints_of_a_plug_in_go_where_complaints_go(tmp_path: Path) -> None:
    done = run_opsmon(plug_in(tmp_path, "odd", "import sys; print('old', file=sys.stderr)"), "operations", "--json")
    assert (listed(done), done.stderr) == ({"odd.run"}, "old\n")


@pytest.mark.worker
def test_exit_codes_are_ours_whatever_plug_ins_do(
    town: CliHarness, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSMON_DATABASE_URL", sqlite_url)
    for name, source in (
        ("bad", BAD["ends"][0]),
        ("late", LATE["waits"]),
        ("odd", ODD["stays"]),
        ("said", ODD["writes"]),
    ):
        plug_in(tmp_path / "more", name, source)
    start = ("start", "odd.run", "--tenant", "contoso", "--json")
    done = run_opsmon(tmp_path / "more", *start)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["receipt"] == "queued"
    assert run_opsmon(tmp_path / "more", *start, "--wait", "0").returncode == 6
    missing = run_opsmon(tmp_path / "more", "start", "bad.run", "--tenant", "contoso")
    assert (missing.returncode, missing.stdout) == (2, "")
    assert missing.stderr.startswith("opsmon: there is no operation 'bad.run'")


@pytest.mark.kill
@pytest.mark.worker
def test_a_worker_works_whatever_plug_ins_do(
    town: CliHarness, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSMON_DATABASE_URL", sqlite_url)
    monkeypatch.setenv(FOLDER, str(tmp_path))
    for name in ("exits", "stays", "closes"):
        plug_in(plugins(tmp_path), name, {**ODD, "exits": BAD["exits"][0]}[name])
    done = run_opsmon(plugins(tmp_path), "start", "stays.run", "--tenant", "contoso", "--json")
    number = json.loads(done.stdout)["run"]["id"]
    worker = WorkerProcess(sqlite_url, tmp_path).ready()
    try:
        assert "plug-in 'exits' cannot be loaded: SystemExit: 3" in worker.log
        worker.says(f"run {number}: succeeded")
        wait_for(lambda: (found := lifecycle.get(town.db, number)) and found.outcome is Outcome.SUCCEEDED)
        worker.signal(signal.SIGTERM)
        assert worker.exit_code() == 0
    finally:
        worker.kill()
    assert "said by stays" in worker.log  # its standard output, which is a file here
