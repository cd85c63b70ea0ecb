"""A database that is deleted, moved or replaced under a worker and a screen: said at once, and nothing goes on in what is gone."""

from __future__ import annotations

import contextlib
import re
import shutil
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from store import snapshot
from store.db.engine import Database
from store.errors import DatabaseAway, DatabaseGone, QueueUnavailable, SchemaMismatch
from store.model.records import Outcome
from store.runs import lifecycle
from store.snapshot import Request
from store.workers import heartbeats
from tests.support import databases
from tests.support.postgres import Server
from tests.support.waiting import wait_for
from tests.tasks.conftest import MakeStage, WorkerHarness

GONE = "the database file is gone"
REPLACED = "the database file was replaced"


@pytest.fixture
def stage(sqlite_url: str, make_stage: MakeStage) -> WorkerHarness:
    return make_stage(sqlite_url)


def file_of(stage: WorkerHarness) -> Path:
    return Path(stage.db.url.database or "")


def back_up(stage: WorkerHarness) -> Path:
    """A copy of the database as it is now, as `.backup` makes one."""
    copy = stage.folder / "backup.db"
    with (
        contextlib.closing(sqlite3.connect(file_of(stage))) as source,
        contextlib.closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)
    return copy


def move(path: Path, to: Path) -> None:
    for end in ("", "-wal", "-shm"):
        if Path(f"{path}{end}").exists():
            Path(f"{path}{end}").rename(f"{to}{end}")


def test_every_use_of_a_file_that_is_gone_says_so_and_makes_none(stage: WorkerHarness) -> None:
    run, worker_id, tracker = stage.start("test.mark", name="lines"), stage.register(), stage.tracker()
    path = file_of(stage)
    move(path, away := stage.folder / "away.db")
    kept = away.read_bytes(), Path(f"{away}-wal").read_bytes()
    for use in (
        lambda: snapshot.take(stage.db, Request(stage.user.id)),
        lambda: stage.start("test.mark", name="lines"),
        lambda: lifecycle.claim(stage.db, run.id, worker_id),
        lambda: heartbeats.heartbeat(stage.db, worker_id, 0),
        stage.register,
    ):
        for _ in range(2):
            with pytest.raises(DatabaseGone, match=f"{GONE}: {path}"):
                use()
    with pytest.raises(QueueUnavailable, match=f"{GONE}"):
        stage.queue.send(run.id)
    with pytest.raises(DatabaseGone, match=GONE):
        stage.queue.waiting(10)
    assert not path.exists()
    assert (away.read_bytes(), Path(f"{away}-wal").read_bytes()) == kept
    move(away, path)
    assert snapshot.take(stage.db, Request(stage.user.id)).runs[0].id == run.id
    assert stage.queue.waiting(10) == [run.id]
    assert tracker.execute(run.id)
    assert stage.run(run.id).outcome is Outcome.SUCCEEDED


def test_a_file_in_its_place_is_said_once_and_used_from_then_on(stage: WorkerHarness) -> None:
    old = stage.start("test.mark", name="lines")
    backup = back_up(stage)
    lost = stage.start("test.mark", name="lines", key="after the backup")
    assert stage.queue.waiting(10) == [old.id, lost.id]
    move(file_of(stage), stage.folder / "away.db")
    shutil.copy(backup, file_of(stage))
    with pytest.raises(DatabaseGone, match=REPLACED):
        snapshot.take(stage.db, Request(stage.user.id))
    assert [run.id for run in snapshot.take(stage.db, Request(stage.user.id)).runs] == [old.id]
    with pytest.raises(DatabaseGone, match=REPLACED):
        stage.queue.waiting(10)
    assert stage.queue.waiting(10) == [old.id]


def test_a_folder_that_is_gone(stage: WorkerHarness) -> None:
    shutil.rmtree(file_of(stage).parent)
    with pytest.raises(DatabaseGone, match=GONE):
        snapshot.take(stage.db, Request(stage.user.id))


@pytest.mark.worker
def test_a_worker_says_so_and_goes_on_when_its_file_is_back(stage: WorkerHarness) -> None:
    worker = stage.worker()
    held = stage.start("test.hold", name="flag")
    stage.running(held.id, success=3)
    path = file_of(stage)
    move(path, away := stage.folder / "away.db")
    worker.says(GONE)
    stage.flag("flag")
    assert not path.exists()
    move(away, path)
    worker.says("the database is well again")
    assert stage.completed(held.id).outcome is Outcome.SUCCEEDED
    run = stage.start("test.mark", name="lines")
    assert stage.completed(run.id).outcome is Outcome.SUCCEEDED
    assert "Traceback" not in worker.log
    assert len(re.findall(GONE, worker.log)) == 1


@pytest.mark.worker
def test_a_worker_goes_on_in_a_backup_that_knows_it_and_ends_in_one_that_does_not(stage: WorkerHarness) -> None:
    before = back_up(stage).rename(stage.folder / "before.db")
    worker = stage.worker()
    after = back_up(stage)
    move(file_of(stage), stage.folder / "first.db")
    worker.says(GONE)
    shutil.copy(after, file_of(stage))
    worker.says("the database is well again")
    stage.db.close()
    stage.queue.close()
    run = stage.start("test.mark", name="lines")
    assert stage.completed(run.id).worker_id == worker.id
    move(file_of(stage), stage.folder / "second.db")
    shutil.copy(before, file_of(stage))
    assert worker.exit_code() == 1
    assert "This worker is not in the database" in worker.log.splitlines()[-1]
    assert "Traceback" not in worker.log


# ---- PostgreSQL's


def test_a_server_whose_database_schema_or_rights_are_gone_has_true_words(postgres: Server) -> None:
    name = databases.unused_name()
    url = postgres.create(name, databases.TEMPLATE)
    db = Database(url)
    admin = Database(url)
    try:
        theirs = Database(sa.make_url(url).set(username="weak").render_as_string(hide_password=False))
        with admin.write() as connection:
            for statement in ("CREATE ROLE weak LOGIN", "GRANT SELECT ON ALL TABLES IN SCHEMA public TO weak"):
                connection.exec_driver_sql(statement)
        snapshot.take(theirs, Request(1))
        with admin.write() as connection:
            connection.exec_driver_sql("REVOKE ALL ON operation_runs FROM weak")
        with pytest.raises(DatabaseAway, match="the database's role lacks rights: permission denied for table"):
            snapshot.take(theirs, Request(1))
        with admin.write() as connection:
            connection.exec_driver_sql("DROP OWNED BY weak")
            connection.exec_driver_sql("DROP ROLE weak")
        theirs.close()
        snapshot.take(db, Request(1))
        with admin.write() as connection:
            connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        with pytest.raises(SchemaMismatch, match="the database's tables are not those of this program"):
            snapshot.take(db, Request(1))
        postgres.drop(name)

        def is_gone() -> bool:
            with pytest.raises(DatabaseAway) as caught:
                snapshot.take(db, Request(1))
            return isinstance(caught.value, DatabaseGone) and "the database is not there" in str(caught.value)

        wait_for(is_gone)
    finally:
        db.close()
        admin.close()
        postgres.drop(name)
