"""The schema: compares the database's revision with the one that this program needs, and runs the migrations."""

from __future__ import annotations

import enum
import os
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from store.db.engine import Database
from store.db.errors import redact
from store.errors import DatabaseAway, SchemaMismatch

#: The newest migration. A constant, so that starting does not import Alembic (0.85 s); a test keeps it up to date.
HEAD = "0011"
#: All migrations, oldest first. Any other revision in a database comes from a newer program.
KNOWN = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010", "0011")


class State(enum.Enum):
    """How the database's schema compares with this program's."""

    EMPTY = "has no opsmon tables"
    OLDER = "is older than this program"
    CURRENT = "is up to date"
    NEWER = "is newer than this program"


def revision(db: Database) -> str | None:
    """The database's revision; None if it was never migrated."""
    try:
        with db.read() as connection:
            found: str | None = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
            return found
    except SchemaMismatch:
        return None


def state(db: Database) -> State:
    """Compare the database's revision with HEAD."""
    current = revision(db)
    if current is None:
        return State.EMPTY
    if current == HEAD:
        return State.CURRENT
    return State.OLDER if current in KNOWN else State.NEWER


def require_current(db: Database, how: str = "run 'opsmon db upgrade'") -> None:
    """Raise SchemaMismatch unless the schema is up to date. `how` tells the user how to upgrade an older one."""
    found = state(db)
    if found is State.NEWER:
        raise SchemaMismatch(
            "the database's schema is newer than this program", "install the opsmon version that the others use"
        )
    if found is not State.CURRENT:
        raise SchemaMismatch(f"the database {found.value}", how)


def upgrade(db: Database, target: str = "head") -> None:
    """Upgrade the schema to `target`. Several processes may call this at once. Raises SchemaMismatch if the schema is newer."""
    _prepared_state(db)
    _alembic(db, "upgrade", target)


def make_current(db: Database, advice: str | None = None) -> None:
    """Upgrade the schema to HEAD. If it is there already, Alembic is not imported.

    Raises SchemaMismatch if the schema is newer than this program, and DatabaseAway, with `advice` as its hint, if the
    database file cannot be created.
    """
    if _prepared_state(db, advice) is not State.CURRENT:
        _alembic(db, "upgrade", "head")


def _prepared_state(db: Database, advice: str | None = None) -> State:
    """The schema's state; first creates an SQLite file that does not exist. Raises SchemaMismatch if the schema is newer."""
    if db.is_sqlite:
        _make_file(Path(db.url.database or ""), advice)
    found = state(db)
    if found is State.NEWER:
        require_current(db)
    return found


def _make_file(path: Path, advice: str | None) -> None:
    """Create a missing SQLite file and its folder, accessible to their owner only. Existing ones are left unchanged."""
    try:
        path.absolute().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        what, why = f"the database {path} cannot be made", str(error.strerror)
        raise (DatabaseAway(f"{what} ({why})", advice) if advice else DatabaseAway(what, why)) from None


def downgrade(db: Database, target: str = "base") -> None:
    """Revert migrations down to `target`. The data of dropped tables is lost."""
    _alembic(db, "downgrade", target)


def missing(db: Database) -> list[str]:
    """The differences between the database and the metadata, one line each; empty if there are none."""
    found = state(db)
    if found is not State.CURRENT:
        return [f"the schema {found.value}" if found is not State.EMPTY else "the database has no opsmon tables"]
    return _differences(db)


def _differences(db: Database) -> list[str]:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from store.model.tables import metadata

    with db.read() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_name": lambda name, kind, _: kind != "table" or name in metadata.tables}
        )
        return [str(difference)[:200] for difference in compare_metadata(context, metadata)]


def _alembic(db: Database, direction: str, target: str) -> None:
    from alembic import command
    from alembic.config import Config

    import migrations

    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["url"] = db.url
    try:
        with db.our_errors():
            getattr(command, direction)(config, target)
    except DBAPIError as error:
        raise DatabaseAway("the migration could not be run", redact(str(error.orig))) from error
