"""The rules of a restore: what is sent to the target tenant. Nothing here speaks HTTP or asks a database."""
