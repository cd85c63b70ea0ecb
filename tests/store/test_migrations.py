"""Migrations: up and down on both databases, equal to the tables as written down, and all that is ever made or altered."""

from __future__ import annotations

import re
import sqlite3
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import huey.storage
import psycopg
import pytest
import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory

import migrations
from store import schema, snapshot
from store.db.engine import Database
from store.errors import DatabaseAway, SchemaMismatch
from store.model.records import Outcome
from store.model.tables import metadata
from store.people import admin
from store.people.access import Role
from store.runs import lifecycle
from store.runs.lifecycle import Result
from store.runs.log import NewLogLine
from store.schema import State
from store.workers import heartbeats
from tasks.queue.queue import Queue
from tests.store import racers
from tests.support.people import new_run
from tests.support.postgres import Postgres
from tests.support.waiting import HANG


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[Database]:
    db = Database(empty_database_url)
    yield db
    db.close()


def table_names(db: Database) -> set[str]:
    with db.read() as connection:
        return set(sa.inspect(connection).get_table_names())


# ---- up and down


def test_up_down_and_up_again(empty: Database) -> None:
    assert schema.state(empty) is State.EMPTY
    schema.upgrade(empty)
    assert (schema.state(empty), schema.missing(empty)) == (State.CURRENT, [])
    before = described(empty)
    schema.downgrade(empty)
    assert table_names(empty) == {"alembic_version"}
    assert schema.state(empty) is State.EMPTY
    schema.upgrade(empty)
    assert (described(empty), schema.missing(empty)) == (before, [])


def test_an_upgrade_that_has_been_made_changes_nothing(db: Database) -> None:
    admin.add_tenant(db, "contoso")
    before = described(db)
    schema.upgrade(db)
    assert described(db) == before
    assert len(table_names(db)) == len(metadata.tables) + 5  # Huey's four and Alembic's one


def test_the_newest_revision_is_written_down_rightly() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    script = ScriptDirectory.from_config(config)
    assert script.get_heads() == [schema.HEAD]
    assert tuple(found.revision for found in reversed(list(script.walk_revisions()))) == schema.KNOWN


def test_every_state_is_told_apart(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    schema.require_current(db)
    monkeypatch.setattr(schema, "HEAD", "0099")
    monkeypatch.setattr(schema, "KNOWN", (*schema.KNOWN, "0099"))
    assert schema.state(db) is State.OLDER
    with pytest.raises(SchemaMismatch, match="older than this program: run 'opsmon db upgrade'"):
        schema.require_current(db)
    assert schema.missing(db) == ["the schema is older than this program"]


def test_a_newer_schema_is_refused_and_left_alone(db: Database) -> None:
    with db.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    before = described(db)
    assert schema.state(db) is State.NEWER
    for use in (schema.require_current, schema.upgrade):
        with pytest.raises(SchemaMismatch, match="newer than this program: install the opsmon version"):
            use(db)
    assert described(db) == before
    with db.write() as connection:
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{schema.HEAD}'")


def test_an_empty_database_is_told_what_it_needs(empty: Database) -> None:
    with pytest.raises(SchemaMismatch, match="has no opsmon tables: run 'opsmon db upgrade'"):
        schema.require_current(empty)
    assert schema.missing(empty) == ["the database has no opsmon tables"]


def test_what_somebody_altered_is_missed(empty: Database) -> None:
    schema.upgrade(empty)
    for statement, missed in (
        ("DROP INDEX ix_operation_runs_active", "ix_operation_runs_active"),
        ("ALTER TABLE workers DROP COLUMN version", "version"),
        ("DROP TABLE run_events", "run_events"),
    ):
        with empty.write() as connection:
            connection.exec_driver_sql(statement)
        assert missed in " ".join(schema.missing(empty))


def test_several_that_migrate_an_empty_database_at_once_all_succeed(empty: Database) -> None:
    url = empty.url.render_as_string(hide_password=False)
    with racers.crowd(5) as crowd:
        upgrading = [crowd.pool.submit(racers.upgrade, url) for _ in range(5)]
        crowd.ready.wait(HANG)
        for one in upgrading:
            one.result(HANG)  # raises what it raised
    assert schema.missing(empty) == []


# ---- SQLite's file


def test_a_new_file_and_its_folder_are_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "opsmon.db"
    db = Database(f"sqlite:///{path}")
    schema.upgrade(db)
    db.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_file_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    db = Database(f"sqlite:///{tmp_path / 'file' / 'opsmon.db'}")
    with pytest.raises(DatabaseAway, match="cannot be made"):
        schema.upgrade(db)


# ---- equal to the metadata, and to what Huey would make


def described(db: Database, pattern: str = "") -> dict[str, list[str]]:
    """Tables, columns, constraints and indexes as the database itself writes them down."""
    with db.read() as connection:
        if db.is_sqlite:
            own = "name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
            query = f"SELECT tbl_name, name || ' ' || coalesce(sql, '') FROM sqlite_master WHERE {own}"
        else:
            query = DESCRIPTION
        rows = connection.exec_driver_sql(query).all()
    found: dict[str, list[str]] = {}
    for table, line in rows:
        if re.match(pattern, table) and table != "alembic_version":
            found.setdefault(table, []).append(" ".join(line.replace("public.", "").split()))
    return {table: sorted(lines) for table, lines in found.items()}


DESCRIPTION = """
SELECT table_name, concat_ws(' ', column_name, data_type, is_nullable, column_default) FROM information_schema.columns
WHERE table_schema = 'public'
UNION ALL SELECT conrelid::regclass::text, conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = 'public'::regnamespace AND conrelid <> 0
UNION ALL SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public'
"""


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgresql)])
def test_migrated_tables_are_the_tables_as_written_down(kind: str, request: pytest.FixtureRequest) -> None:
    """Names of constraints, CHECKs, defaults and the conditions of partial indexes included, which Alembic does not compare."""
    migrated = Database(request.getfixturevalue(f"{kind}_url"))
    created = Database(request.getfixturevalue(f"empty_{kind}_url"))
    with created.write() as connection:
        metadata.create_all(connection)
    wanted, found = described(created), described(migrated)
    for table in metadata.tables:
        assert normal(found[table]) == normal(wanted[table])  # triggers are the migrations' alone
    migrated.close()
    created.close()


def normal(lines: list[str]) -> list[str]:
    """Without the order of a CREATE TABLE's parts, which says nothing."""
    found = []
    for line in (line for line in lines if " CREATE TRIGGER " not in line):
        match = re.fullmatch(r"(\w+ CREATE TABLE \w+) \((.*)\)", line.replace('"', ""))
        parts = re.split(r",\s(?![^(]*\))", match[2]) if match else []
        found.append(f"{match[1]}: {sorted(part.strip() for part in parts)}" if match else line)
    return sorted(found)


def test_every_constraint_and_index_has_a_name_that_says_what_it_is(db: Database) -> None:
    with db.read() as connection:
        inspector = sa.inspect(connection)
        for table in metadata.tables:
            named: dict[str, Sequence[Mapping[str, object]]]
            named = {"fk": inspector.get_foreign_keys(table), "ck": inspector.get_check_constraints(table)}
            named |= {"uq": inspector.get_unique_constraints(table)}
            if not db.is_sqlite:  # where a key that counts up by itself cannot have a name
                named["pk"] = [inspector.get_pk_constraint(table)]
            indexes = [index for index in inspector.get_indexes(table) if "duplicates_constraint" not in index]
            for prefix, constraints in named.items():
                for constraint in constraints:
                    assert str(constraint["name"]).startswith(f"{prefix}_{table}"), constraint
            for index in indexes:
                assert str(index["name"]).startswith((f"ix_{table}", f"uq_{table}")), index


def test_hueys_tables_are_what_huey_would_make_itself(empty_postgres_url: str, postgres_url: str) -> None:
    storage = huey.storage.PostgresStorage("opsmon", dsn=empty_postgres_url)  # makes its tables
    storage.close()
    ours, theirs = Database(postgres_url), Database(empty_postgres_url)
    assert described(ours, "huey_") == described(theirs, "huey_") != {}
    ours.close()
    theirs.close()


def test_hueys_tables_in_sqlite_are_what_huey_would_make_itself(sqlite_url: str, tmp_path: Path) -> None:
    own = tmp_path / "huey.db"
    storage = huey.storage.SqliteStorage("opsmon", filename=str(own))
    storage.close()
    theirs = Path(sa.make_url(sqlite_url).database or "")
    for table in ("kv", "schedule", "task", "counter"):
        assert pragmas(theirs, table) == pragmas(own, table) != []


def pragmas(path: Path, table: str) -> list[Any]:
    """Columns, and each index with its columns and their order. The text of CREATE statements is not compared."""
    connection = sqlite3.connect(path)
    found = connection.execute(f"PRAGMA table_info({table})").fetchall()
    for _, name, *rest in sorted(connection.execute(f"PRAGMA index_list({table})").fetchall(), key=lambda row: row[1]):
        found.append((name, rest, connection.execute(f"PRAGMA index_xinfo({name})").fetchall()))
    connection.close()
    return found


# ---- rights


def live(db: Database) -> None:
    """All that a dispatcher, a worker and a screen do with a database."""
    schema.require_current(db)
    tenant, user = admin.add_tenant(db, "contoso"), admin.add_user(db, "alice")
    admin.grant(db, "alice", "contoso", Role.OWNER)
    worker_id = heartbeats.register(db, host="here", pid=1, version="1", slots=1, embedded=False)
    heartbeats.heartbeat(db, worker_id, 0)
    run, _ = lifecycle.create_or_attach(db, new_run(tenant, user))
    queue = Queue(db)
    queue.send(run.id)
    assert queue.waiting(10) == [run.id]
    lifecycle.mark_dispatched(db, run.id)
    message = queue.huey().storage.dequeue()
    assert queue.huey().serializer.deserialize(message).args == (run.id,)
    queue.close()
    assert lifecycle.claim(db, run.id, worker_id)
    assert lifecycle.finish(db, run.id, worker_id, Result(Outcome.SUCCEEDED, log=(NewLogLine("info", "done"),)))
    now = snapshot.take(db, snapshot.Request(user.id, run_id=run.id, inbox=True))
    assert now.detail
    assert (now.unread, len(now.detail.events)) == (2, 1)
    heartbeats.deregister(db, worker_id)


RIGHTS = """
CREATE ROLE operator_role LOGIN;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO operator_role;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO operator_role;
"""


def test_nothing_at_run_time_needs_the_right_to_make_tables(postgres_url: str, postgres: Postgres) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(RIGHTS.replace("\n", " ").strip())
        db = Database(str(sa.make_url(postgres_url).set(username="operator_role")))
        try:
            with pytest.raises(DatabaseAway, match="permission denied"), db.write() as connection:
                connection.exec_driver_sql("CREATE TABLE x (y integer)")
            live(db)
        finally:
            db.close()
            admin.execute("DROP OWNED BY operator_role; DROP ROLE operator_role")


def test_nothing_at_run_time_alters_the_schema_of_sqlite(sqlite_url: str) -> None:
    db = Database(sqlite_url)

    def version() -> int:
        with db.read() as connection:
            return int(connection.exec_driver_sql("PRAGMA schema_version").scalar_one())

    before = version()
    live(db)
    assert version() == before
    db.close()
