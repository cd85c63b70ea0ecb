"""Alembic migrations. They ship in the wheel: `opsmon db upgrade` finds them beside this file."""
