"""A worker's log: nothing from outside reaches it unsanitized, tracebacks included."""

from __future__ import annotations

import datetime as dt
import logging
import threading
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Final

from store.errors import InputInvalid
from store.sanitizer.sanitize import sanitize

LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")
MAX_MESSAGE: Final = 1000
MAX_TRACE_LINE: Final = 200
#: Of a traceback: the innermost calls, and exceptions that led to it.
MAX_FRAMES: Final = 20
MAX_CHAIN: Final = 4

ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class SafeFormatter(logging.Formatter):
    """One line for the message; a traceback keeps its lines, each of them sanitized, in bounded number."""

    def format(self, record: logging.LogRecord) -> str:
        at = dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds")
        lines = [f"{at.replace('+00:00', 'Z')} {record.levelname:7} {record.name}: {_message(record)}"]
        if record.exc_info:
            lines += _trace(record.exc_info)
        return "\n".join(lines)


def _message(record: logging.LogRecord) -> str:
    try:
        message = record.getMessage()
    except Exception:  # a wrong format, a __str__ that fails
        message = f"(cannot be formatted) {record.msg}"
    return sanitize(message, MAX_MESSAGE)


def _trace(info: ExceptionInfo) -> list[str]:
    if info[1] is None:
        return []
    # A negative limit keeps the innermost frames.
    told: traceback.TracebackException | None = traceback.TracebackException.from_exception(info[1], limit=-MAX_FRAMES)
    lines: list[str] = []
    for _ in range(MAX_CHAIN):
        if told is None:
            break
        lines = [*_one_trace(told), *(["  while this was handled:"] if lines else []), *lines]
        told = told.__cause__ or (None if told.__suppress_context__ else told.__context__)
    return lines


def _one_trace(told: traceback.TracebackException) -> list[str]:
    calls = [line for entry in told.stack.format() for line in entry.splitlines()]
    # As one text: a secret that goes over several lines is found only there.
    return [*map(_trace_line, calls), "  " + sanitize("".join(told.format_exception_only()), MAX_MESSAGE)]


def _trace_line(line: str) -> str:
    indent = len(line) - len(line.lstrip(" "))
    return " " * (2 + min(indent, 8)) + sanitize(line, MAX_TRACE_LINE)


def start_log(level: str, make_handler: Callable[[], logging.Handler] = logging.StreamHandler) -> None:
    """Log to a handler, default standard error, from `level` on; libraries are heard from WARNING on.

    Raises InputInvalid, before the handler is made.
    """
    level = level.upper()
    if level not in LEVELS:
        raise InputInvalid(f"log_level cannot be '{level}'", f"give {', '.join(LEVELS)}")
    handler = make_handler()
    handler.setFormatter(SafeFormatter())
    logging.basicConfig(handlers=[handler], level=max(logging.WARNING, logging.getLevelName(level)), force=True)
    logging.getLogger("opsmon").setLevel(level)
    logging.raiseExceptions = False  # the complaint about a record that fails would show the record
    logging.captureWarnings(True)
    threading.excepthook = _log_thread_death


def _log_thread_death(args: threading.ExceptHookArgs) -> None:
    name = args.thread.name if args.thread else "?"
    info = (args.exc_type, args.exc_value, args.exc_traceback) if args.exc_value else None
    logging.getLogger("opsmon").error("thread %s ended with an exception", name, exc_info=info)
