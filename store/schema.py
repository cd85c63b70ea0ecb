"""Which schema the database has, which one this program needs, and how it gets there."""

from __future__ import annotations

import enum
import os
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from store.db.engine import Database
from store.db.errors import redact
from store.errors import DatabaseAway, SchemaMismatch

#: The newest migration. Written down, so that a start need not import Alembic (0.85 s); a test holds it equal.
HEAD = "0003"
#: Every migration, oldest first. A database with another revision was written by a newer program.
KNOWN = ("0001", "0002", "0003")


class State(enum.Enum):
    """How the database's schema compares with this program's."""

    EMPTY = "has no opsmon tables"
    OLDER = "is older than this program"
    CURRENT = "is up to date"
    NEWER = "is newer than this program"


def revision(db: Database) -> str | None:
    """The revision that the database is at, or None when it was never migrated."""
    try:
        with db.read() as connection:
            found: str | None = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
            return found
    except SchemaMismatch:
        return None


def state(db: Database) -> State:
    found = revision(db)
    if found is None:
        return State.EMPTY
    if found == HEAD:
        return State.CURRENT
    return State.OLDER if found in KNOWN else State.NEWER


def require_current(db: Database, how: str = "run 'opsmon db upgrade'") -> None:
    """Raise SchemaMismatch, saying what to do, unless the schema is this program's; `how` is how it gets newer."""
    found = state(db)
    if found is State.NEWER:
        raise SchemaMismatch(
            "the database's schema is newer than this program", "install the opsmon version that the others use"
        )
    if found is not State.CURRENT:
        raise SchemaMismatch(f"the database {found.value}", how)


def upgrade(db: Database, target: str = "head") -> None:
    """Bring the schema to `target`. Safe to call from several processes at once; a newer schema is refused."""
    _found(db)
    _alembic(db, "upgrade", target)


def make_current(db: Database, advice: str | None = None) -> None:
    """Bring the schema to the newest migration, unless it is there: then Alembic is not imported.

    Raises SchemaMismatch when it is newer than this program, and DatabaseAway, with `advice`, when its file cannot be made.
    """
    if _found(db, advice) is not State.CURRENT:
        _alembic(db, "upgrade", "head")


def _found(db: Database, advice: str | None = None) -> State:
    """The state of what is there, or has just been made: an SQLite file. Raises SchemaMismatch when it is newer."""
    if db.is_sqlite:
        _make_file(Path(db.url.database or ""), advice)
    found = state(db)
    if found is State.NEWER:
        require_current(db)
    return found


def _make_file(path: Path, advice: str | None) -> None:
    """An SQLite file that is not there is made readable for its owner alone, as is its folder. What exists stays as it is."""
    try:
        path.absolute().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        what, why = f"the database {path} cannot be made", str(error.strerror)
        raise (DatabaseAway(f"{what} ({why})", advice) if advice else DatabaseAway(what, why)) from None


def downgrade(db: Database, target: str = "base") -> None:
    """Take migrations back, down to `target`. Data in tables that go is lost."""
    _alembic(db, "downgrade", target)


def missing(db: Database) -> list[str]:
    """What the database lacks or has otherwise than the metadata says, one line each; empty when all is well."""
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
