"""`opsmon worker`: runs a worker until SIGTERM, SIGINT or SIGHUP; an embedded one also stops when its standard input ends."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Self

from opsmon.cli.commands.session import Session
from opsmon.embedded import worker as embedded_worker
from opsmon.logs import start_log
from store.errors import OpsmonError

if TYPE_CHECKING:
    from tasks.worker.worker import Worker

logger = logging.getLogger("opsmon.worker")


def work(session: Session, arguments: argparse.Namespace) -> int:
    """Run a worker until it is stopped. Returns the exit code."""
    from tasks.worker.garbage import collect_rarely

    level, _ = session.services.settings.log_level, session.db
    if arguments.embedded:
        start_log(level, embedded_worker.log_handler)
    else:
        start_log(level)
    with StopSignals() as signals:
        for problem in session.services.registry.problems:
            logger.warning("%s", problem)
        worker = session.services.worker(arguments.workers, arguments.embedded)
        collect_rarely()
        signals.serve(worker.stop)
        if arguments.embedded:
            embedded_worker.stop_at_eof(worker)
        _run(worker)
    return 0


def _run(worker: Worker) -> None:
    try:
        worker.run()
    except OpsmonError:
        raise
    except Exception:
        logger.exception("the worker ends")
        raise


class StopSignals:
    """Stops the worker on SIGTERM, SIGINT and SIGHUP; ignores SIGHUP under nohup.

    A signal handler interrupts the main thread anywhere, even while it holds a lock that `stop` needs. So the handler
    only writes the signal's number to a pipe, and a thread reads it. Signals that arrive before the worker exists wait
    in the pipe.
    """

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)
        self._old: dict[signal.Signals, object] = {}
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
                continue
            self._old[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        for number, old in self._old.items():
            signal.signal(number, old)  # type: ignore[arg-type]
        os.close(self._write)
        if self._thread is None:
            os.close(self._read)

    def serve(self, stop: Callable[[], None]) -> None:
        """Call `stop` for each signal, including those that have already arrived."""
        self._thread = threading.Thread(target=self._serve, args=(stop,), name="stop-signals", daemon=True)
        self._thread.start()

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        with contextlib.suppress(OSError):  # the pipe is full: enough signals are pending
            os.write(self._write, bytes([number]))

    def _serve(self, stop: Callable[[], None]) -> None:
        asked = False
        while received := os.read(self._read, 1):
            name = signal.Signals(received[0]).name
            if asked and received[0] == signal.SIGHUP:
                # A closed terminal sends SIGHUP more than once (kernel, shell): that is no request to stop at once.
                logger.info("%s: the worker stops already", name)
                continue
            logger.info("%s: the worker is asked to stop%s", name, " at once" if asked else "")
            asked = True
            stop()
        os.close(self._read)
