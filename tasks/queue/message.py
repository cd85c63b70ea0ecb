"""The queue's message format: the JSON object `{"run_id": 17}` and nothing else."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Final

from huey.registry import Message
from huey.serializer import Serializer

TASK: Final = "run"


class RunIdSerializer(Serializer):  # type: ignore[misc]
    """Serializes the run id as JSON and refuses everything else, so inserting a row does not run code in a worker."""

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
    """The data in the queue is not a message of opsmon."""


def message_id(run_id: int) -> str:
    """Huey's task id for the message of a run."""
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
    if abs(run_id) >= 2**63:  # too large for an id column
        raise NoMessage
    return run_id


def named_task(execute: Callable[[int], None]) -> Callable[[int], None]:
    """Wrap `execute` in a function of this module: Huey names tasks after module and function, and messages refer to
    that name.
    """

    @functools.wraps(execute)
    def run(run_id: int) -> None:
        execute(run_id)

    # The name must not depend on where `execute` is defined.
    run.__module__ = __name__
    return run
