"""Entry point of the command line: parses the arguments, calls the command, and turns every error into one line and an
exit code.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import json
import os
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from opsmon.cli.parser import parse, wants_json
from opsmon.cli.splash import Splash
from store.errors import DatabaseAway, OpsmonError
from store.sanitizer.sanitize import sanitize, visible

SCREENS: Final = "screens:screens"
#: Characters of an error line.
MAX_LINE: Final = 600
#: Exit codes after a signal, by the shell's convention: 128 plus the signal's number.
INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code; raises nothing.

    Without `argv` the process belongs to opsmon: it ends at once if threads are left.
    """
    code = _guarded(lambda: _main(argv), as_json=wants_json(sys.argv[1:] if argv is None else argv))
    if argv is None and threading.active_count() > 1:
        leave(code)
    return code


def _main(argv: Sequence[str] | None) -> int:
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # the parent closed it
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 (open until the process ends)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a character missing from the locale must not raise
    if argv is None and "_ARGCOMPLETE" in os.environ:
        from opsmon.cli.completion import complete

        complete()
    arguments = parse(argv)
    if arguments.command != "worker":
        return _call(arguments)
    leave(_guarded(lambda: _call(arguments), as_json=arguments.json))
    return 0


def _call(arguments: argparse.Namespace) -> int:
    if arguments.version:
        return _print_version()
    splash = Splash()
    if arguments.run == SCREENS and not arguments.json:
        splash.show()
    try:
        return _run(arguments, splash)
    finally:
        splash.take_away()


def _run(arguments: argparse.Namespace, splash: Splash) -> int:
    from opsmon.cli.commands.session import Session
    from opsmon.output import Output

    module, _, function = arguments.run.partition(":")
    command = getattr(importlib.import_module(f"opsmon.cli.commands.{module}"), function)
    output = Output(arguments.json, arguments.form or "table", arguments.columns)
    with contextlib.closing(Session(arguments.as_login, output, splash)) as session:
        code: int = command(session, arguments)
        return code


def _print_version() -> int:
    from importlib.metadata import version

    sys.stdout.write(f"opsmon {version('opsmon')}\n")
    return 0


def _guarded(action: Callable[[], int], *, as_json: bool) -> int:
    try:
        code = action()
        sys.stdout.flush()
        return code
    except SystemExit as end:  # argparse, having printed its help
        return end.code if isinstance(end.code, int) else 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _silence_stdout()
        return BROKEN_PIPE
    except Exception as error:  # the outermost handler: nothing may escape
        return _report(error, as_json=as_json)


def _report(error: Exception, *, as_json: bool) -> int:
    if os.environ.get("OPSMON_DEBUG") == "1":
        traceback.print_exception(error)
    with contextlib.suppress(OSError, AttributeError):
        sys.stderr.write((error_as_json(error) if as_json else error_line(error)) + "\n")
    return error.exit_code if isinstance(error, OpsmonError) else 1


def error_line(error: Exception) -> str:
    """The error as one line: `opsmon: what happened: what to do`."""
    _, message, hint = _told(error)
    return _bounded("opsmon: " + (f"{message}: {hint}" if hint else message))


def error_as_json(error: Exception) -> str:
    """The error as an object on one line: its stable code, what happened, and what to do or null."""
    code, message, hint = _told(error)
    return json.dumps({"code": code, "message": _bounded(message), "hint": None if hint is None else _bounded(hint)})


def _told(error: Exception) -> tuple[str, str, str | None]:
    if isinstance(error, DatabaseAway) and error.hint:
        # The hint is the driver's message: a reason, not advice.
        return error.code, f"{error.message} ({error.hint})", "see 'opsmon doctor'"
    if isinstance(error, OpsmonError):
        return error.code, error.message, error.hint
    text = f"unexpected {type(error).__name__}: {sanitize(str(error), 300)}"
    return OpsmonError.code, text, "OPSMON_DEBUG=1 shows where"


def _bounded(text: str) -> str:
    line = visible(text)
    return line if len(line) <= MAX_LINE else line[: MAX_LINE - 1] + "…"


def leave(code: int) -> None:
    """End the process at once. A stuck thread of an operation or a plug-in must not delay it; the interpreter would
    wait for it.
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(code)


def _silence_stdout() -> None:
    # Otherwise the interpreter would try to write the buffered rest at exit, and complain again.
    with contextlib.suppress(OSError, ValueError):
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, sys.stdout.fileno())
        os.close(devnull)
