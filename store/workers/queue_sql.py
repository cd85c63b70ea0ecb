"""SQL on the queue's tables that opsmon executes instead of Huey."""

from __future__ import annotations

from typing import Final

#: Queues a message in one round trip; Huey takes four: BEGIN, this INSERT, this SELECT, COMMIT. Parameters: queue, data,
#: priority, channel. The connection must be in autocommit mode.
ENQUEUE_SQL: Final = (
    "WITH message AS (INSERT INTO huey_task (queue, data, priority) VALUES (%s, %s, %s)) SELECT pg_notify(%s, '')"
)
