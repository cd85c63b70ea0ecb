"""A stage: a database with ann, who may start runs in "contoso", a dispatcher in this process, and workers in their own."""

from __future__ import annotations

import contextlib
import signal
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from store.db.dialects import Timeouts
from store.db.engine import Database
from store.model.records import Outcome, Run, Status, User
from store.model.tables import metadata, operation_runs
from store.people import admin, notifications
from store.people.access import Role
from store.runs import lifecycle
from store.workers import heartbeats
from tasks.dispatch import Dispatcher, Receipt, Sender
from tasks.operations import (
    backup_schedule,
    backup_set,
    directory_groups_sync,
    drift_generate,
    inventory_sync,
    policy_sync,
    probe,
)
from tasks.operations.restore import execute, preview
from tasks.queue.queue import Queue
from tasks.sdk.context import GraphSettings, OperationResources
from tasks.sdk.registry import Registry
from tasks.worker.executor import RunExecutor
from tests.support import operations
from tests.support.waiting import HANG, wait_for
from tests.support.worker import WorkerProcess

REGISTRY = Registry.of(
    [
        *operations.ALL,
        probe.probe,
        inventory_sync.sync,
        policy_sync.sync,
        directory_groups_sync.sync,
        drift_generate.generate,
        backup_set.create,
        backup_set.add_policies,
        backup_schedule.run_now,
        backup_schedule.retry,
        preview.preview,
        execute.execute,
    ]
)


@dataclass
class WorkerHarness:
    """Everything that a test of the machinery needs, by short names."""

    db: Database
    url: str
    folder: Path
    user: User
    queue: Queue
    registry: Registry = REGISTRY
    processes: list[WorkerProcess] = field(default_factory=list)

    # ---- starting

    def dispatcher(self, sender: Sender | None = None) -> Dispatcher:
        return Dispatcher(self.db, sender or self.queue, self.registry)

    def start(self, type_: str, **parameters: Any) -> Run:
        """Start a run that must get queued."""
        started = self.dispatcher().start(self.user, "contoso", type_, parameters)
        assert started.receipt is Receipt.QUEUED
        return started.run

    def open(self, type_: str = "test.mark", **parameters: Any) -> Run:
        """Open a run whose dispatcher dies before it can queue the message."""
        with pytest.raises(_Dead):
            self.dispatcher(_DeadSender()).start(self.user, "contoso", type_, parameters)
        return self.runs()[-1]

    # ---- looking

    def run(self, run_id: int) -> Run:
        run = lifecycle.get(self.db, run_id)
        assert run
        return run

    def runs(self) -> list[Run]:
        with self.db.read() as connection:
            ids = connection.execute(sa.select(operation_runs.c.id).order_by(operation_runs.c.id)).scalars().all()
        return [self.run(run_id) for run_id in ids]

    def told(self, run_id: int) -> list[str]:
        """The kinds of the notifications about a run, in the order in which the initiator got them."""
        with self.db.read() as connection:
            found = notifications.inbox(connection, self.user.id, limit=10_000)
        return [note.kind for note in reversed(found) if note.run_id == run_id]

    def running(self, run_id: int, success: int = 0) -> Run:
        """Wait until the run is running, with so many items done in the database."""

        def is_running() -> Run | None:
            run = self.run(run_id)
            assert run.status is not Status.COMPLETED, run
            done = run.summary_counts.success if run.summary_counts else 0
            return run if run.status is Status.RUNNING and done >= success else None

        return wait_for(is_running, f"run {run_id} to run", seen=self.logs)

    def completed(self, run_id: int) -> Run:
        """Wait until the run is completed."""

        def is_completed() -> Run | None:
            run = self.run(run_id)
            return run if run.status is Status.COMPLETED else None

        return wait_for(
            is_completed, f"run {run_id} to be completed", seen=lambda: f"{self.run(run_id)}\n{self.logs()}"
        )

    def logs(self) -> str:
        """What the workers have logged."""
        return "\n".join(f"-- worker {process.id}:\n{process.log}" for process in self.processes)

    def marks(self, name: str) -> list[str]:
        """The lines that operations have left."""
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []

    def flag(self, name: str) -> None:
        """What an operation waits for."""
        (self.folder / name).touch()

    # ---- the database, from outside

    def execute(self, sql: str, **parameters: Any) -> None:
        with self.db.write() as connection:
            connection.execute(sa.text(sql), parameters)

    @property
    def message_table(self) -> str:
        return "task" if self.db.is_sqlite else "huey_task"

    def messages(self) -> list[bytes]:
        """The queue's rows as they are."""
        with self.db.read() as connection:
            rows = connection.execute(sa.text(f"SELECT data FROM {self.message_table} ORDER BY id")).scalars().all()
        return [bytes(row) for row in rows]

    def put_message(self, data: bytes) -> None:
        """Whatever somebody might insert who can write the table."""
        self.execute(
            f"INSERT INTO {self.message_table} (queue, data, priority) VALUES ('opsmon', :data, 0)",
            data=data,
        )

    def age(self, table: str, seconds: float, where: str = "true", *columns: str) -> None:
        """Move instants of rows into the past."""
        past = "strftime('%Y-%m-%d %H:%M:%f', {0}, '-{1} seconds')" if self.db.is_sqlite else "{0} - interval '{1} s'"
        changes = ", ".join(f"{name} = {past.format(name, seconds)}" for name in columns)
        self.execute(f"UPDATE {table} SET {changes} WHERE {where}")

    def freeze(self, worker: WorkerProcess) -> None:
        """Stop the process at a moment when it holds no lock: one that does keeps all others from writing to SQLite."""

        def is_frozen() -> bool:
            worker.signal(signal.SIGSTOP)
            # A thread that waits for a processor within a call of the system ends that call first: it may take a lock.
            wait_for(worker.is_stopped, "every thread to stop")
            if self._is_writable():
                return True
            worker.signal(signal.SIGCONT)
            return False

        wait_for(is_frozen, "a moment in which the worker holds no lock")

    def _is_writable(self) -> bool:
        if not self.db.is_sqlite:
            return True
        with contextlib.closing(sqlite3.connect(self.db.url.database or "", timeout=1, isolation_level=None)) as other:
            try:
                other.execute("BEGIN IMMEDIATE")
                other.execute("ROLLBACK")
            except sqlite3.OperationalError:
                return False
            return True

    def silence(self, worker: WorkerProcess) -> None:
        """Make the last beat of a worker that does not beat any more an old one."""
        self.age("workers", 20 * HANG, f"id = {worker.id}", "beat_at")

    def everything(self) -> str:
        """All that the database's tables hold, as text."""
        queue = sa.table(self.message_table, sa.column("data"))
        tables: list[sa.FromClause] = [*metadata.sorted_tables, queue]
        with self.db.read() as connection:
            rows = [tuple(row) for table in tables for row in connection.execute(sa.select(*table.c))]
        return "\n".join(_text(value) for row in rows for value in row)

    # ---- workers

    def worker(self, **settings: Any) -> WorkerProcess:
        """A worker process that takes messages."""
        return self.workers(1, **settings)[0]

    def workers(self, count: int, **settings: Any) -> list[WorkerProcess]:
        """So many of them, started at once."""
        new = [WorkerProcess(self.url, self.folder, **settings) for _ in range(count)]
        self.processes += new
        return [process.ready() for process in new]

    def register(self) -> int:
        """A worker in the database only: it lives for as long as it beats."""
        return heartbeats.register(self.db, host="here", pid=1, version="0", slots=4, embedded=False)

    def tracker(self, worker_id: int | None = None, **more: Any) -> RunExecutor:
        """What surrounds operations in a worker, in this process."""
        tools = OperationResources(self.db, GraphSettings("", "", lambda slug: None))
        return RunExecutor(self.db, worker_id or self.register(), more.pop("registry", self.registry), tools, **more)


class _Dead(BaseException):
    """Not an Exception: nothing catches it, as nothing catches a kill."""


class _DeadSender:
    def send(self, run_id: int) -> None:
        raise _Dead


def _text(value: object) -> str:
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode("utf-8", "replace")
    if isinstance(value, dict):
        return " ".join(f"{_text(key)} {_text(item)}" for key, item in value.items())
    if isinstance(value, list):
        return " ".join(map(_text, value))
    return str(value)


MakeStage = Callable[..., WorkerHarness]


@pytest.fixture
def make_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeStage]:
    """A stage on any database. Whatever its workers have logged is shown when the test fails."""
    stages: list[WorkerHarness] = []

    def make(url: str, timeouts: Timeouts | None = None) -> WorkerHarness:
        folder = tmp_path / f"stage-{len(stages)}"
        folder.mkdir()
        monkeypatch.setenv(operations.FOLDER, str(folder))
        db = Database(url, timeouts)
        user = admin.add_user(db, "ann", "Ann")
        admin.add_tenant(db, "contoso", "Contoso")
        admin.grant(db, "ann", "contoso", Role.OPERATOR)
        stages.append(WorkerHarness(db, url, folder, user, Queue(db, timeout=HANG)))
        return stages[-1]

    yield make
    for stage in stages:
        for process in stage.processes:
            process.kill()
            print(process.log)  # noqa: T201
        stage.queue.close()
        stage.db.close()


@pytest.fixture
def stage(database_url: str, make_stage: MakeStage) -> WorkerHarness:
    return make_stage(database_url)


def assert_failed(run: Run, code: str) -> None:
    """Completed as failed, for that reason alone."""
    assert (run.status, run.outcome) == (Status.COMPLETED, Outcome.FAILED)
    assert [failure.code for failure in run.failure_summary] == [code]
