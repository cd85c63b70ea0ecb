"""What is only looked at stays as it is: no command that shows something starts, writes or notifies."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from store.db.engine import Database
from store.model.records import Outcome
from store.model.tables import metadata
from store.people import admin
from store.people.access import Role
from tests.opsmon.cli.test_backups import make
from tests.opsmon.conftest import Cli, CliHarness, on_both
from tests.tasks.backup_folder.bodies import item

LOOKS = (
    "doctor", "doctor --json", "doctor --tenant contoso", "runs", "runs outcome:failed boom", "show 1", "show 1 --card",
    "notifications", "notifications --all", "operations", "tenants list", "users list", "queue", "db check", "db upgrade", "config",
    "tenants", "users", "members contoso", "runs -o wide", "help runs", "completion bash",
    "retry 1 --dry-run", "wait 1 0", "backups list", "backups show 1", "schedules list", "schedules next 1",
)  # fmt: skip


@pytest.fixture
def db(database_url: str) -> Database:
    return Database(database_url)


def everything(db: Database) -> dict[str, list[object]]:
    """Every row of every table, the queue's included."""
    found: dict[str, list[object]] = {}
    tables: list[sa.FromClause] = [*metadata.sorted_tables]
    tables.append(sa.table("task" if db.is_sqlite else "huey_task", sa.column("data")))
    with db.read() as connection:
        for table in tables:
            rows = connection.execute(sa.select(*table.c)).all()
            found[str(table)] = sorted((tuple(row) for row in rows), key=repr)
    return found


@on_both
def test_a_command_that_shows_something_changes_no_row(opsmon: Cli, town: CliHarness) -> None:
    admin.grant(town.db, town.me, "contoso", Role.OWNER)
    opsmon("start", "system.probe", "--tenant", "contoso")
    town.complete(1, Outcome.FAILED)
    opsmon("start", "system.probe", "--tenant", "contoso", "--param", "items=2")
    make(town, item())
    assert opsmon("schedules", "add", "--tenant", "contoso", "--name", "nightly", "--cron", "0 3 * * *").code == 0
    opsmon("show", "1")  # as on the screens, a run that was shown is no news to its initiator any more: once
    before = everything(town.db)
    assert len(before["operation_runs"]) == 2
    assert before["notifications"]
    for line in LOOKS:
        answer = opsmon(*line.split())
        assert answer.out, line
        assert everything(town.db) == before, line
    town.db.close()
