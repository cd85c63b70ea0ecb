"""Alembic migrations. They are part of the wheel: `opsmon db upgrade` finds them next to this file."""
