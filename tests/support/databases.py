"""Fresh databases, made by copying one that was migrated once."""

from __future__ import annotations

import itertools
import os
import shutil
from pathlib import Path

from tests.support.postgres import Postgres

TEMPLATE = "opsmon_template"
SQLITE_FILE = "opsmon.db"

_numbers = itertools.count(1)


def migrate(url: str) -> None:
    """Bring the database to the newest schema and leave no connection behind."""
    from store import schema
    from store.database import Database

    db = Database(url)
    try:
        schema.upgrade(db)
    finally:
        db.close()


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder / SQLITE_FILE}"


def make_sqlite_template(folder: Path) -> Path:
    """A folder that holds a migrated database and whatever lies beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    migrate(sqlite_url(folder))
    return folder


def copy_sqlite(template: Path, folder: Path) -> str:
    shutil.copytree(template, folder)
    return sqlite_url(folder)


def make_postgres_template(server: Postgres) -> str:
    migrate(server.create(TEMPLATE))
    return TEMPLATE


def unused_name() -> str:
    """A database name that no other test has, in this process or another one on the same server."""
    return f"test_{os.getpid()}_{next(_numbers)}"
