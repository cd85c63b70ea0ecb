"""Open screens complete what lost workers leave behind; and everywhere it is said that a worker is silent."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql

from opsmon.rescuing import Watch
from store.db.engine import Database
from store.errors import DatabaseAway
from store.model.records import Outcome, Run
from store.model.tables import notifications, rescues
from store.model.tables import workers as workers_table
from store.people.access import Right, Role, find_user, require_right
from store.runs import lifecycle
from store.workers import pause as queue_pause
from tasks.dispatch import make_dispatcher
from tasks.sdk.registry import load_registry
from tasks.worker.lost_runs import Settled, give_up_lost
from tests.opsmon.conftest import Cli, CliHarness, MakeServices, on_both
from tests.support import people
from tests.support.postgres import Server
from tests.support.terminal import Terminal, closing
from tests.support.waiting import HANG, wait_for
from tests.support.worker import QUICK, WorkerProcess, variables

LONG = 10 * HANG


@pytest.fixture
def watch(make_services: MakeServices, quick_workers: None, database_url: str) -> Watch:
    return Watch(make_services(database_url))


@pytest.fixture
def lost(db: Database) -> Run:
    """A run whose worker was last heard of long ago."""
    tenant = people.make_tenant(db, "contoso")
    worker = people.make_worker(db)
    run = people.start_run(db, tenant, people.make_user(db, "ann", contoso=Role.OPERATOR), worker)
    people.make_older(db, workers_table, worker, "beat_at", 2 * LONG)
    return run


def settle(watch: Watch) -> None:
    """As if it had been looking for long enough."""
    watch._settled._recovery = dt.timedelta(0)


@on_both
def test_a_lost_run_is_completed_once_and_its_initiator_told(db: Database, watch: Watch, lost: Run) -> None:
    settle(watch)
    assert watch.look() == [f"run {lost.id}: worker {lost.worker_id} was lost"]
    assert watch.look() == []
    run = lifecycle.get(db, lost.id)
    assert run
    assert (run.outcome, [failure.code for failure in run.failure_summary]) == (Outcome.FAILED, ["worker.lost"])
    with db.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(rescues)).scalar_one() == 1
        told = sa.select(sa.func.count()).select_from(notifications).where(notifications.c.kind == "completed")
        assert connection.execute(told).scalar_one() == 1


@on_both
def test_nobody_is_judged_before_looks_have_settled(db: Database, watch: Watch, lost: Run) -> None:
    """The screens have just been opened, or the database has just come back: all beats may be old."""
    assert watch.look() == []
    assert lifecycle.get(db, lost.id) == lost


@on_both
@pytest.mark.kill
@pytest.mark.worker
@pytest.mark.terminal
def test_with_the_only_worker_killed_the_screens_of_a_reader_complete_its_run(
    db: Database, database_url: str, tmp_path: Path
) -> None:
    """In any role: the rights are those of the database. Paused screens do it as well."""
    people.make_tenant(db, "contoso")
    people.make_user(db, "ann", contoso=Role.OPERATOR)
    people.make_user(db, "ron", contoso=Role.READONLY)
    worker = WorkerProcess(database_url, tmp_path).ready()
    dispatcher, queue = make_dispatcher(db, load_registry(), HANG)
    run_id = dispatcher.start(find_user(db, "ann"), "contoso", "system.probe", {"items": 1, "seconds": LONG}).run.id
    queue.close()
    wait_for(
        lambda: (run := lifecycle.get(db, run_id)) and run.started_at, "the run to be started", seen=lambda: worker.log
    )
    worker.kill()
    more = variables(**{**QUICK, "database_url": database_url, "poll_seconds": 0.1})
    with closing(Terminal("tests.support.screens_main", ["ron"], more=more)) as terminal:
        terminal.wait_for("live")
        terminal.send("p")
        terminal.wait_for("paused")
        people.make_older(db, workers_table, worker.id, "beat_at", 2 * LONG)
        terminal.read_until(lambda: _outcome(db, run_id) is Outcome.FAILED, "the run to be given up")
        terminal.send("q")
        assert terminal.end() == 0
    run = lifecycle.get(db, run_id)
    assert run
    assert run.failure_summary[0].code == "worker.lost"


def _outcome(db: Database, run_id: int) -> Outcome | None:
    run = lifecycle.get(db, run_id)
    return run.outcome if run else None


def test_a_role_that_may_only_read_completes_nothing_and_knows_it(
    postgres: Server, postgres_url: str, make_services: MakeServices, quick_workers: None
) -> None:
    name = urlsplit(postgres_url).path[1:]
    db = Database(postgres_url)
    tenant, worker = people.make_tenant(db, "contoso"), people.make_worker(db)
    run = people.start_run(db, tenant, people.make_user(db, "ann", contoso=Role.OPERATOR), worker)
    people.make_older(db, workers_table, worker, "beat_at", 2 * LONG)
    reader = f"reader_{name}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        for statement in ("CREATE ROLE {} LOGIN", "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}"):
            connection.execute(sql.SQL(statement).format(sql.Identifier(reader)))
    try:
        watch = Watch(make_services(postgres_url.replace("postgres@", f"{reader}@")))
        settle(watch)
        with pytest.raises(DatabaseAway, match="permission denied"):
            watch.look()
        could = watch.can
        assert lifecycle.get(db, run.id) == run
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            for statement in (
                "GRANT ALL ON ALL TABLES IN SCHEMA public TO {}",
                "GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {}",
            ):
                connection.execute(sql.SQL(statement).format(sql.Identifier(reader)))
        assert watch.look() == [f"run {run.id}: worker {worker} was lost"]
        assert (could, watch.can) == (False, True)
        watch._db.close()
    finally:
        db.close()
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            for statement in ("DROP OWNED BY {}", "DROP ROLE {}"):
                connection.execute(sql.SQL(statement).format(sql.Identifier(reader)))


def test_a_look_that_fails_in_a_way_nobody_foresaw_is_not_the_last(db: Database, watch: Watch, lost: Run) -> None:
    settle(watch)
    watch._every = 0.01
    give_up = give_up_lost
    failed: list[int] = []

    def fails_first(*of: Any) -> list[str]:
        if not failed:
            failed.append(1)
            raise ValueError("a row that cannot be")
        return give_up(*of)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tasks.worker.lost_runs.give_up_lost", fails_first)
        watch.start()
        wait_for(lambda: _outcome(db, lost.id) is Outcome.FAILED, "the run to be given up")
        watch.stop(HANG)
    assert failed


@pytest.mark.parametrize("jump", [-86_400.0, 86_400.0])
def test_a_clock_that_jumps_begins_the_looks_anew_and_does_not_end_them(jump: float) -> None:
    settled, at = Settled(lost_after=30.0, beat_every=5.0), dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    for seconds in range(0, 31, 5):
        settled.seen(at + dt.timedelta(seconds=seconds))
    there = at + dt.timedelta(seconds=jump)
    settled.seen(there)
    assert not settled.as_of
    for seconds in range(5, 31, 5):
        settled.seen(there + dt.timedelta(seconds=seconds))
    assert settled.as_of == there + dt.timedelta(seconds=30)


# ---- what commands say


@pytest.fixture
def silent(town: CliHarness) -> Run:
    """A run of yours that is running, and whose worker has missed its beats."""
    worker, me = people.make_worker(town.db), find_user(town.db, town.me)
    run = people.start_run(town.db, require_right(town.db, me, "contoso", Right.VIEW), me, worker)
    people.make_older(town.db, workers_table, worker, "beat_at", 20)
    return run


@on_both
def test_lists_and_details_say_that_a_worker_is_silent(opsmon: Cli, silent: Run) -> None:
    assert "Running, worker silent for 2" in opsmon("runs").out
    assert "Running, worker silent for 2" in opsmon("show", str(silent.id)).out
    assert "nobody is left to give the run up" in opsmon("show", str(silent.id)).out
    assert "worker silent for 2" in " ".join(opsmon("show", str(silent.id), "--card").out.split())
    (listed,) = opsmon("runs", "--json").json
    shown = opsmon("show", str(silent.id), "--json").json
    assert listed["worker_silent_seconds"] >= 20
    assert shown["worker_silent_seconds"] >= 20


@on_both
def test_who_waits_is_told_what_keeps_the_run(
    opsmon: Cli, town: CliHarness, silent: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opsmon.cli.commands.runs.LOOK_AFTER", 0.0)
    answer = opsmon("wait", str(silent.id), "1")
    assert f"opsmon: run {silent.id} waits: its worker is silent\n" in answer.err
    assert answer.err.count("waits:") == 1
    people.make_older(town.db, workers_table, 1, "beat_at", LONG)
    answer = opsmon("start", "system.probe", "--tenant", "contoso", "--wait", "1")
    assert "waits: no worker is alive: start one with 'opsmon worker'" in answer.err
    assert answer.code == 6
    bob = find_user(town.db, "bob")
    queue_pause.pause(town.db, bob)
    assert "waits: the queue is paused by bob" in opsmon("wait", "2", "1").err
