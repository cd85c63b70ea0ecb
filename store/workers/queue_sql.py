"""What is said to the queue's tables by ourselves and not by Huey."""

from __future__ import annotations

from typing import Final

#: Huey's own way to queue a message takes four round trips: BEGIN, this INSERT, this SELECT, COMMIT. With the parameters
#: queue, data, priority, channel, on a connection that commits each statement.
ENQUEUE_SQL: Final = (
    "WITH message AS (INSERT INTO huey_task (queue, data, priority) VALUES (%s, %s, %s)) SELECT pg_notify(%s, '')"
)
