"""What a message is: `{"run_id": 17}` in JSON and nothing else, ever."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Final

from huey.registry import Message
from huey.serializer import Serializer

TASK: Final = "run"


class RunIdSerializer(Serializer):  # type: ignore[misc]
    """The run's id as JSON. Anything else in the queue is refused, so who can insert a row cannot run code in a worker."""

    def _serialize(self, data: Message) -> bytes:
        (run_id,) = data.args
        return json.dumps({"run_id": run_id}).encode()

    def _deserialize(self, data: bytes) -> Message:
        return Message(
            id=message_id(run_id := read_message(data)),
            name=f"{__name__}.{TASK}",
            args=(run_id,),
            kwargs={},
            retries=0,
            retry_delay=0,
        )


class NoMessage(ValueError):
    """What was in the queue is not a message of opsmon."""


def message_id(run_id: int) -> str:
    return f"run-{run_id}"


def read_message(data: bytes) -> int:
    """The run's id in a message. Raises NoMessage for anything that is not exactly `{"run_id": <whole number>}`."""
    try:
        message = json.loads(bytes(data))
    except (ValueError, RecursionError):
        raise NoMessage from None
    if not isinstance(message, dict) or set(message) != {"run_id"} or type(message["run_id"]) is not int:
        raise NoMessage
    run_id = int(message["run_id"])
    if abs(run_id) >= 2**63:  # no column holds it
        raise NoMessage
    return run_id


def named_task(execute: Callable[[int], None]) -> Callable[[int], None]:
    @functools.wraps(execute)
    def run(run_id: int) -> None:
        execute(run_id)

    # Huey names a task after its function's module; the message must find it whatever `execute` is.
    run.__module__ = __name__
    return run
