"""What somebody sees who may not do everything: permission bits mean nothing to root, as whom tests often run."""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Callable
from typing import Any

NOBODY = 65534


def unprivileged(action: Callable[[], Any]) -> Any:
    """What the action returns, as JSON, in a child process that is nobody; whatever it imports was imported before."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _be_nobody(action, writing)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    answer = json.loads(told)
    assert "failed" not in answer, answer["failed"]
    return answer["value"]


def _be_nobody(action: Callable[[], Any], writing: int) -> None:
    try:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
        told = {"value": action()}
    except BaseException:
        told = {"failed": traceback.format_exc()}
    os.write(writing, json.dumps(told).encode())
    os._exit(0)
