"""Connections: bounded in time whatever the server does, and errors that never show a password."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from store.db import watchdog
from store.db.dialects import Timeouts
from store.db.engine import Database
from store.db.url import parse_url
from store.errors import DatabaseAway, InputInvalid, OpsmonError, SchemaMismatch
from store.model.records import Tenant, User
from store.model.tables import tenants
from store.people import access, admin
from store.runs import lifecycle
from store.workers import heartbeats
from tests.conftest import PrivatePostgres
from tests.support.people import SUCCEEDED, make_tenant, open_run, start_run
from tests.support.properties import examples
from tests.support.waiting import HANG, wait_for

PASSWORD = "hunter2-correct-horse"
#: No machine is so slow that one of these would end what a test does. Each test shortens the one that it is about.
PATIENT = Timeouts.within(HANG)
SLEEP_AN_HOUR = "SELECT pg_sleep(3600)"


@contextlib.contextmanager
def opened(url: str, pool_size: int = 5, **short: float) -> Iterator[Database]:
    """`short` are the time-outs, in seconds, that are to pass."""
    db = Database(url, replace(PATIENT, **short), pool_size)
    try:
        yield db
    finally:
        db.close()


def with_password(url: str) -> str:
    return sa.make_url(url).set(password=PASSWORD).render_as_string(hide_password=False)


def away(use: Callable[[], object]) -> DatabaseAway:
    """What `use` raises, which must come at all, and without the password."""
    raised = list[BaseException]()

    def note() -> None:
        try:
            use()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=note, daemon=True)
    thread.start()
    thread.join(HANG)
    assert not thread.is_alive(), "it waits for ever"
    (error,) = raised
    assert isinstance(error, DatabaseAway), error
    assert PASSWORD not in str(error)
    assert "\n" not in str(error)
    return error


def ask(db: Database) -> list[int]:
    with db.read() as connection:
        return list(connection.execute(sa.select(tenants.c.id)).scalars())


def answers(db: Database) -> bool:
    """Whether it can be asked."""
    try:
        ask(db)
    except DatabaseAway:
        return False
    return True


def send(db: Database, statement: str) -> None:
    with db.read() as connection:
        connection.exec_driver_sql(statement)


class Clock:
    """The watchdog's clock, which stands still until the test says otherwise."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(watchdog, "time", SimpleNamespace(monotonic=lambda: self.now))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


# ---- locks and slow statements


def test_a_locked_table_is_an_answer_that_does_not_come(postgres_url: str) -> None:
    with opened(with_password(postgres_url), lock=0.2) as db, psycopg.connect(postgres_url) as other:
        tenant = make_tenant(db)
        run = open_run(db, tenant)
        other.execute("LOCK TABLE operation_runs IN ACCESS EXCLUSIVE MODE")
        assert "lock" in str(away(lambda: lifecycle.get(db, run.id)))
        for use in (
            lambda: open_run(db, tenant),
            lambda: lifecycle.mark_dispatched(db, run.id),
            lambda: heartbeats.stalled_runs(db, 30),
        ):
            assert "lock" in str(away(use))
        other.rollback()
        assert lifecycle.get(db, run.id) == run


def test_a_locked_row_is_waited_for_and_not_for_ever(postgres_url: str) -> None:
    with opened(postgres_url, lock=0.2) as db, psycopg.connect(postgres_url) as other:
        run = start_run(db, make_tenant(db))
        other.execute("SELECT 1 FROM operation_runs FOR UPDATE")
        assert "lock" in str(away(lambda: lifecycle.finish(db, run.id, run.worker_id or 0, SUCCEEDED)))


def test_a_statement_that_takes_too_long_is_ended(postgres_url: str) -> None:
    with opened(postgres_url, statement=0.3) as db:
        assert "timeout" in str(away(lambda: send(db, SLEEP_AN_HOUR)))
        wait_for(lambda: answers(db))


def test_a_transaction_that_takes_too_long_is_ended_from_this_side(postgres_url: str) -> None:
    """The server's own time-out is out of play, as it is when the server is frozen."""
    with opened(postgres_url, statement=3600, transaction=0.2) as db:
        away(lambda: send(db, SLEEP_AN_HOUR))
        wait_for(lambda: answers(db))


def test_the_watchdog_leaves_a_connection_alone_once_it_is_given_back(postgres_url: str, clock: Clock) -> None:
    def pid(db: Database) -> int:
        with db.read_one() as connection:
            return int(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())

    with opened(postgres_url, pool_size=1, transaction=5) as db, psycopg.connect(postgres_url) as other:
        with db._watchdog.watching(other, 5):
            before = pid(db)
            clock.now += 10
            with pytest.raises(psycopg.OperationalError):
                other.execute(SLEEP_AN_HOUR)  # it has looked, and ended the one that is kept
        assert pid(db) == before


@pytest.mark.kill
def test_a_frozen_server_is_away_and_is_there_again_once_thawed(private_postgres: PrivatePostgres) -> None:
    with opened(private_postgres.url) as db:
        tenant = make_tenant(db)
        run = open_run(db, tenant)
    url = with_password(private_postgres.url)
    with opened(url, connect=2, transaction=0.5) as db, opened(url, connect=2) as fresh:
        wait_for(lambda: answers(db))
        private_postgres.freeze()
        try:
            away(lambda: ask(db))  # a connection that was open
            away(lambda: open_run(db, tenant))
            away(lambda: ask(fresh))  # a new one
        finally:
            private_postgres.thaw()
        wait_for(lambda: answers(db))
        wait_for(lambda: answers(fresh))
    with opened(private_postgres.url) as db:
        assert lifecycle.get(db, run.id) == run


@pytest.mark.kill
def test_a_server_that_freezes_in_the_middle_of_a_statement_is_away(
    private_postgres: PrivatePostgres, clock: Clock
) -> None:
    begun = threading.Event()
    with opened(private_postgres.url, statement=3600, transaction=5) as db:

        def sleep() -> None:
            with db.write() as connection:
                connection.exec_driver_sql("SELECT 1")
                begun.set()
                connection.exec_driver_sql(SLEEP_AN_HOUR)

        def freeze() -> None:
            assert begun.wait(HANG)
            private_postgres.freeze()
            clock.now += 10

        freezing = threading.Thread(target=freeze)
        freezing.start()
        try:
            away(sleep)
        finally:
            freezing.join()
            private_postgres.thaw()


@pytest.mark.kill
def test_a_server_that_was_restarted_is_there_again(private_postgres: PrivatePostgres) -> None:
    with opened(private_postgres.url) as db:
        make_tenant(db)
        private_postgres.stop(immediately=True)
        away(lambda: ask(db))
        private_postgres.start()
        wait_for(lambda: answers(db))


def test_a_server_or_a_database_that_is_not_there(postgres_url: str) -> None:
    for url in (
        f"postgresql://opsmon:{PASSWORD}@127.0.0.1:1/opsmon",
        f"postgresql://opsmon:{PASSWORD}@nowhere.invalid/opsmon",
        sa.make_url(with_password(postgres_url)).set(database="nowhere").render_as_string(hide_password=False),
        sa.make_url(with_password(postgres_url)).set(username="nobody-here").render_as_string(hide_password=False),
    ):
        with opened(url, connect=2) as db:
            away(partial(ask, db))


def test_a_role_without_rights_is_told_so(postgres_url: str) -> None:
    with opened(postgres_url) as db, psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute("CREATE ROLE powerless LOGIN")
        try:
            url = sa.make_url(postgres_url).set(username="powerless").render_as_string(hide_password=False)
            with opened(url) as theirs:
                assert "permission denied" in str(away(lambda: ask(theirs)))
        finally:
            admin.execute("DROP ROLE powerless")
        assert ask(db) == []


# ---- SQLite


def test_a_locked_file_is_away_for_writers_and_there_for_readers(sqlite_url: str) -> None:
    with opened(sqlite_url, busy=0.1) as db:
        tenant = make_tenant(db)
        run = open_run(db, tenant)
        other = sqlite3.connect(db.url.database or "", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        assert "locked" in str(away(lambda: open_run(db, tenant)))
        away(lambda: lifecycle.mark_dispatched(db, run.id))
        assert lifecycle.get(db, run.id) == run
        other.execute("ROLLBACK")
        other.close()
        assert lifecycle.mark_dispatched(db, run.id)


def test_a_file_that_is_locked_altogether_is_away(sqlite_url: str) -> None:
    path = sa.make_url(sqlite_url).database or ""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    other.execute("CREATE TABLE mine (x)")
    with opened(sqlite_url, busy=0.1) as db:
        away(lambda: ask(db))
        away(lambda: admin.add_tenant(db, "x"))
    other.close()


def test_a_file_that_is_none_of_ours(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("not a database\n" * 100)
    for place in (tmp_path / "note.txt", tmp_path / "nowhere" / "opsmon.db", tmp_path):
        with opened(f"sqlite:///{place}", busy=0.1) as db:
            away(partial(ask, db))


def test_sqlite_is_set_up_for_readers_beside_a_writer_and_keeps_references(sqlite_url: str) -> None:
    with opened(sqlite_url, busy=0.3) as db, db.read() as connection:
        wanted = {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 1, "busy_timeout": 300}
        assert {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in wanted} == wanted


def test_a_pool_that_is_empty_is_an_answer_too(sqlite_url: str) -> None:
    with opened(sqlite_url, pool_size=1, connect=0.1) as db, contextlib.ExitStack() as held:

        def hold_more_and_more() -> None:
            for _ in range(400):
                held.enter_context(db.read())

        away(hold_more_and_more)


# ---- transactions


def test_a_reading_sees_one_instant(db: Database, tenant: Tenant) -> None:
    with db.read() as connection:
        before = connection.execute(sa.select(tenants.c.id)).all()
        make_tenant(db)
        assert connection.execute(sa.select(tenants.c.id)).all() == before
    assert len(ask(db)) == len(before) + 1


def test_what_fails_leaves_nothing(db: Database, tenant: Tenant) -> None:
    def write_and_fail() -> None:
        with db.write() as connection:
            connection.execute(sa.insert(tenants).values(slug="x", name="x"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    assert len(ask(db)) == 1
    make_tenant(db)  # and the connection is fit to be used again


def test_a_violated_constraint_stays_what_it_is(db: Database, tenant: Tenant) -> None:
    with pytest.raises(IntegrityError), db.write_one() as connection:
        connection.execute(sa.insert(tenants).values(slug="contoso", name="x"))


def test_tables_that_are_not_there_are_another_programs_schema(empty_database_url: str) -> None:
    with opened(empty_database_url) as db:
        with pytest.raises(SchemaMismatch, match="opsmon db upgrade"):
            ask(db)
        with db.write() as connection:
            connection.exec_driver_sql("CREATE TABLE operation_runs (id integer)")
        with pytest.raises(SchemaMismatch, match="opsmon db upgrade"):
            heartbeats.stalled_runs(db, 30)


def test_a_connection_that_is_in_use_when_the_database_is_closed_is_closed_after_its_use(db: Database) -> None:
    with db.read() as connection:
        driver: Any = connection.connection.driver_connection
        db.close()
        assert connection.execute(sa.select(sa.literal(1))).scalar_one() == 1
    with pytest.raises((psycopg.OperationalError, sqlite3.ProgrammingError), match="closed"):
        driver.execute("SELECT 1")


def test_after_closing_it_connects_anew(db: Database, user: User) -> None:
    db.close()
    assert access.find_user(db, "alice") == user


# ---- URLs


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (f"mysql://u:{PASSWORD}@h/d", "'mysql' are not supported"),
        (f"postgresql://u:{PASSWORD}@h:port/d", "cannot be read"),
        (f"postgresql+asyncpg://u:{PASSWORD}@h/d", "not supported"),
        (f"{PASSWORD}", "cannot be read"),
        ("", "cannot be read"),
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
        ("postgresql:/x", "cannot be read"),
    ],
)
def test_a_url_that_cannot_be_is_refused_without_its_password(url: str, told: str) -> None:
    with pytest.raises(InputInvalid, match=r"\A[^\n]+\Z") as caught:
        parse_url(url)
    assert told in str(caught.value)
    assert PASSWORD not in str(caught.value)
    assert PASSWORD not in repr(caught.value.__cause__)


def test_an_option_that_libpq_does_not_know_is_refused(postgres_url: str) -> None:
    url = sa.make_url(with_password(postgres_url)).update_query_dict({"bogus": PASSWORD})
    with opened(url.render_as_string(hide_password=False)) as db, pytest.raises(InputInvalid) as caught:
        ask(db)
    assert "bogus" in str(caught.value)
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("postgresql://h/d", "postgresql+psycopg"),
        ("postgres://h/d", "postgresql+psycopg"),
        ("postgresql+psycopg://h/d", "postgresql+psycopg"),
        ("sqlite:////x/y.db", "sqlite+pysqlite"),
    ],
)
def test_urls_are_taken_as_people_write_them(url: str, driver: str) -> None:
    assert parse_url(url).drivername == driver


def test_the_name_for_people_has_no_credentials() -> None:
    assert Database(f"postgresql://u:{PASSWORD}@h:1/d").name == "postgresql h/d"
    assert Database(f"postgresql://u:{PASSWORD}@/d?host=/run").name == "postgresql /run/d"
    assert Database("sqlite:////a/b/opsmon.db").name == "sqlite opsmon.db"


@examples(60)
@given(st.text(max_size=20), st.sampled_from(["postgresql://", "sqlite:///", "", "mysql://", "postgresql://u:"]))
def test_any_text_is_a_url_or_one_error(text: str, scheme: str) -> None:
    with contextlib.suppress(OpsmonError):
        assert parse_url(scheme + text)
