"""Operations for tests. They talk to the test through files in a folder: it raises flags, they leave marks."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Literal

from opsmon import OperationFailed, RunContext, operation
from store.errors import RunEnded

#: Where flags and marks are.
FOLDER = "TEST_FOLDER"

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg"
#: None of these may be found anywhere once an operation has failed with them.
SECRETS = (
    JWT,
    JWT.split(".")[1],
    "opaque-token-0815",
    "hunter2",
    "abc8Q~secretsecretsecretsecretsecret",
    "c3RvcmFnZWtleWtleWtleQ",
    "someone@contoso.com",
    "\x1b",
    "\x07",
    "\x9b",
    "\u202e",
    "ZXZpbA==",
    "x" * 1000,
)
EVIL = {
    "bearer": f"Graph said no: Authorization: Bearer {JWT}",
    "opaque": "refused: Bearer opaque-token-0815",
    "url": "cannot reach postgresql://admin:hunter2@db.internal/prod?sslpassword=hunter2",
    "secret": '{"client_secret": "abc8Q~secretsecretsecretsecretsecret", "password": "hunter2"}',
    "connection": "AccountName=a;AccountKey=c3RvcmFnZWtleWtleWtleQ==;EndpointSuffix=core.windows.net",
    "address": "no mailbox for someone@contoso.com",
    "escapes": "\x1b]52;c;ZXZpbA==\x07 \x9b2J \u202e and \x1b[31mred",
    "megabyte": "the server answered " + "x" * 1_000_000,
}
Evil = Literal["bearer", "opaque", "url", "secret", "connection", "address", "escapes", "megabyte"]


def place(name: str) -> Path:
    return Path(os.environ[FOLDER]) / name


def mark(name: str, line: str = "") -> None:
    """Leave a line; several processes may do so at once."""
    with place(name).open("a") as file:
        file.write(f"{line}\n")


@operation("test.mark", label="Mark", identity=["name", "key"])
def leave_mark(run: RunContext, name: str, key: str = "") -> None:
    """Leave a line in a file, one for each time that this is executed."""
    mark(name, f"{run.id}")
    run.success()


@operation("test.hold", label="Hold", identity=["name"])
def hold(run: RunContext, name: str) -> None:
    """Do three of ten items, wait for the flag, do the rest. Says in `NAME.ended` when it was ended."""
    run.total(10)
    run.success(3)
    try:
        while not place(name).exists():
            run.sleep(0.05)
    except RunEnded:
        mark(f"{name}.ended")
        raise
    run.success(7)


@operation("test.patient", label="Patient hold", identity=["name"], timeout=2.0)
def patient(run: RunContext, name: str) -> None:
    """As `test.hold`, with two seconds to do it."""
    hold(run, name)


@operation("test.count", label="Count", identity=["name"])
def count(run: RunContext, name: str) -> None:
    """Count and count. Says in `NAME.ended` when it was ended."""
    try:
        while not place(name).exists():
            run.success()
            run.sleep(0.02)
    except RunEnded:
        mark(f"{name}.ended")
        raise


def _ignore_everything(run: RunContext, name: str) -> None:
    run.success()
    while not place(name).exists():
        time.sleep(0.02)
    mark(f"{name}.returned")


@operation("test.stuck", label="Stuck", identity=["name"], timeout=2.0)
def stuck(run: RunContext, name: str) -> None:
    """Hear nothing until the flag is raised, long past the deadline."""
    _ignore_everything(run, name)


@operation("test.deaf", label="Deaf", identity=["name"])
def deaf(run: RunContext, name: str) -> None:
    """Hear nothing until the flag is raised."""
    _ignore_everything(run, name)


@operation("test.raise", label="Raise", identity=["name"])
def fail(run: RunContext, name: str) -> None:
    """Hear nothing until the flag is raised, and then raise."""
    _ignore_everything(run, name)
    raise RuntimeError("boom")


@operation("test.evil", label="Evil")
def evil(run: RunContext, which: Evil, how: Literal["raised", "failed", "everything"] = "raised") -> None:
    """Say what must not be kept: in an exception, in a known failure, or in everything that can be told at all."""
    text = EVIL[which]
    if how == "failed":
        raise OperationFailed("test.evil", text, text)
    if how == "everything":
        run.log(text, "warning")
        run.note("said", {text[:200]: [text]})
        run.failed("test.evil", text)
        run.failed(text, text)
        return
    try:
        raise ValueError(text)
    except ValueError as error:
        raise RuntimeError(text) from error


@operation("test.exit", label="Exit")
def leave(run: RunContext) -> None:
    """Try to take the worker down."""
    sys.exit(3)


@operation("test.careful", label="Careful", right="manager")
def careful(run: RunContext) -> None:
    """What only managers and owners may start."""


@operation("test.bound", label="Bound", only_from="its restore")
def bound(run: RunContext, name: str) -> None:
    """Be started and retried from elsewhere alone."""


ALL = (bound, careful, leave_mark, hold, patient, count, stuck, deaf, fail, evil, leave)
