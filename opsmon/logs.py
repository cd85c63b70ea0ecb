"""Logging of workers: everything is sanitized before it is written, tracebacks included."""

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
#: Characters of a message, and of a line of a traceback.
MAX_MESSAGE: Final = 1000
MAX_TRACE_LINE: Final = 200
#: Limits of a traceback: innermost calls of each exception, and exceptions in a chain.
MAX_FRAMES: Final = 20
MAX_CHAIN: Final = 4

ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class SafeFormatter(logging.Formatter):
    """Formats a record as one sanitized line; a traceback follows with a limited number of sanitized lines."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as text, with its time in UTC."""
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
    link: traceback.TracebackException | None = traceback.TracebackException.from_exception(info[1], limit=-MAX_FRAMES)
    lines: list[str] = []
    for _ in range(MAX_CHAIN):
        if link is None:
            break
        lines = [*_one_trace(link), *(["  while this was handled:"] if lines else []), *lines]
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return lines


def _one_trace(told: traceback.TracebackException) -> list[str]:
    calls = [line for entry in told.stack.format() for line in entry.splitlines()]
    # Sanitize it as one text: otherwise a secret that spans several lines would not be found.
    return [*map(_trace_line, calls), "  " + sanitize("".join(told.format_exception_only()), MAX_MESSAGE)]


def _trace_line(line: str) -> str:
    indent = len(line) - len(line.lstrip(" "))
    return " " * (2 + min(indent, 8)) + sanitize(line, MAX_TRACE_LINE)


def start_log(level: str, make_handler: Callable[[], logging.Handler] = logging.StreamHandler) -> None:
    """Start logging from `level` on; other libraries log from WARNING on. The default handler writes to standard error.

    Raises InputInvalid for an unknown level, before making the handler.
    """
    level = level.upper()
    if level not in LEVELS:
        raise InputInvalid(f"log_level cannot be '{level}'", f"give {', '.join(LEVELS)}")
    handler = make_handler()
    handler.setFormatter(SafeFormatter())
    logging.basicConfig(handlers=[handler], level=max(logging.WARNING, logging.getLevelName(level)), force=True)
    logging.getLogger("opsmon").setLevel(level)
    logging.raiseExceptions = False  # an error report about a record would show the record unsanitized
    logging.captureWarnings(True)
    threading.excepthook = _log_thread_death


def _log_thread_death(args: threading.ExceptHookArgs) -> None:
    name = args.thread.name if args.thread else "?"
    info = (args.exc_type, args.exc_value, args.exc_traceback) if args.exc_value else None
    logging.getLogger("opsmon").error("thread %s ended with an exception", name, exc_info=info)
