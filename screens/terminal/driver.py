"""Textual's driver for terminals, sending only what changes the terminal's picture.

Textual paints whole lines, with a style for each segment, and paints the first screen four times. On a slow connection
that is noticeable.
"""

from __future__ import annotations

import os
import signal
import threading
from typing import IO, TYPE_CHECKING, Any

from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Resize

from screens.terminal.interpreter import Interpreter

if TYPE_CHECKING:
    from textual.message import Message


def hang_up() -> None:
    """Make the main thread end the program as if the terminal had been closed (SIGHUP): it can no longer be read or
    written.
    """
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGHUP)


class Output:
    """The terminal as a file whose writes never raise. When the terminal is gone, output is discarded and the program
    hangs up.

    Otherwise Textual's writer thread would die, and callers would block for ever on its full queue.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, text: str) -> None:
        """Write the text; never raises OSError."""
        try:
            self._file.write(text)
        except OSError:
            self._lost()

    def flush(self) -> None:
        """Flush the buffer; never raises OSError."""
        try:
            self._file.flush()
        except OSError:
            self._lost()

    def fileno(self) -> int:
        """The terminal's file descriptor."""
        return self._file.fileno()

    def _lost(self) -> None:
        # Buffered output must go there, too: the interpreter would fail to flush it at exit.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)
        hang_up()


class DiffingDriver(LinuxDriver):
    """A LinuxDriver that sends differences; after `invalidate`, the next paint is sent whole."""

    def __init__(self, app: Any, **options: Any) -> None:
        # A resize arrives in a signal handler or in the input thread, possibly in the middle of a write.
        self._new_size: tuple[int, int] | None = None
        self._forgetting = False
        self._writing = threading.Lock()
        self._interpreter = Interpreter(80, 24)
        #: Whether this program has the terminal, and not the shell.
        self._is_ours = False
        self._was_continued = False
        # A parent that cannot continue stopped programs starts them with SIGTSTP ignored.
        self._may_stop = signal.getsignal(signal.SIGTSTP) is not signal.SIG_IGN
        super().__init__(app, **options)
        # Otherwise the first layout would use COLUMNS and LINES.
        self._size = self._size or self._get_terminal_size()
        self._file = Output(self._file)  # type: ignore[assignment, arg-type]

    def invalidate(self) -> None:
        """Treat the terminal's contents as unknown: the next paint is sent whole."""
        self._forgetting = True

    def write(self, data: str) -> None:
        with self._writing:
            self._catch_up()
            if self._is_ours and (sent := self._interpreter.feed(data)):
                super().write(sent)

    def _catch_up(self) -> None:
        size, self._new_size = self._new_size, None
        if size:
            self._interpreter.resize(*size)
        if self._forgetting:
            self._forgetting = False
            self._interpreter.restart()

    def start_application_mode(self) -> None:
        # Needed after a suspension, too: other programs have used the terminal meanwhile.
        self.invalidate()
        self._is_ours, before = True, self._writer_thread
        while self._writer_thread is before:
            self._was_continued = False
            super().start_application_mode()  # type: ignore[no-untyped-call]
            if self._writer_thread is before and not self._was_continued:
                # The program was not stopped and continued, so no shell can give it the terminal.
                self._is_ours = False
                hang_up()
                return

    def suspend_application_mode(self) -> None:
        super().suspend_application_mode()
        self._is_ours = False

    def suspend(self) -> bool:
        """Return the terminal to the shell, and stop the whole process group (make, sudo, a script).

        Returns True once the job was continued and has the terminal again; False if no shell can continue it.
        """
        if not (self._may_stop and self._is_ours):
            return False
        self._app.app_suspend_signal.publish(self._app)
        self.suspend_application_mode()
        handler = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        self._was_continued = False
        os.kill(0, signal.SIGTSTP)
        was_continued = self._was_continued
        signal.signal(signal.SIGTSTP, handler)
        self._come_back()
        return was_continued

    def _come_back(self) -> None:
        self.start_application_mode()
        self._app.refresh(layout=True)

    # A signal handler may have interrupted a write that holds the lock, so it only schedules the work.

    def _sigtstp_application(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self.suspend)

    def _sigcont_application(self, *_: object) -> None:
        self._was_continued = True
        if self._is_ours:
            self._loop.call_soon_threadsafe(self._after_a_stop)

    def _after_a_stop(self) -> None:
        """Set up the terminal again after a SIGSTOP, which cannot be caught, left it to the shell."""
        if self._is_ours:
            self.suspend_application_mode()
            self._come_back()

    def run_input_thread(self) -> None:
        try:
            super().run_input_thread()
        except OSError:
            hang_up()

    def _get_terminal_size(self) -> tuple[int, int]:
        """The terminal's own size. COLUMNS and LINES may be outdated: they are from whoever exported them."""
        try:
            size = os.get_terminal_size(self.fileno)
        except OSError:
            size = os.terminal_size((0, 0))
        self._new_size = (size.columns, size.lines) if all(size) else super()._get_terminal_size()
        return self._new_size

    def process_message(self, message: Message) -> None:
        if isinstance(message, Resize):
            self._new_size = (message.size.width, message.size.height)
        super().process_message(message)


def diffing_driver() -> type[Driver] | None:
    """The driver for a real terminal; None (Textual's choice) if TEXTUAL_DRIVER names another one."""
    return None if os.environ.get("TEXTUAL_DRIVER") else DiffingDriver
