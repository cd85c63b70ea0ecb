"""Alembic's environment: runs migrations in one transaction, one process at a time, with time-outs for locks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context

from store.db.url import is_sqlite
from store.model.tables import metadata

#: The advisory lock of migrations: an arbitrary number, the same in every version of opsmon.
ADVISORY_LOCK = 0x6F70736D


def run() -> None:
    """Run the migrations on the database of the attribute `url` of Alembic's configuration."""
    url: sa.URL = context.config.attributes["url"]
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        if is_sqlite(url):
            connection.exec_driver_sql("PRAGMA busy_timeout = 30000")
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            connection.commit()
            # If two processes migrate an empty file at once, the second waits here, and then has nothing to do.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.exec_driver_sql("SET lock_timeout = '10s'")
            connection.exec_driver_sql("SET statement_timeout = '15min'")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})")
        context.configure(
            connection=connection, target_metadata=metadata, render_as_batch=is_sqlite(url), transactional_ddl=True
        )
        context.run_migrations()
        connection.commit()
    engine.dispose()


run()
