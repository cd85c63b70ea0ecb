"""Textual's driver for terminals, sending only what changes what the terminal shows.

Textual paints whole lines, each piece in a style of its own, and at the start four times over; on a slow line that can be felt.
"""

from __future__ import annotations

import os
import signal
import threading
from typing import IO, TYPE_CHECKING, Any

from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Resize

from screens.terminal.screen_buffer import ScreenBuffer

if TYPE_CHECKING:
    from textual.message import Message


def hang_up() -> None:
    """Have the main thread end the program as a closed terminal does: it can neither be read nor written any more."""
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGHUP)


class Output:
    """The terminal as a file that can always be written to: what cannot be sent any more goes nowhere, and hangs up.

    Textual's writing thread would die of it, and whoever writes then wait for ever for room in its queue.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, text: str) -> None:
        try:
            self._file.write(text)
        except OSError:
            self._lost()

    def flush(self) -> None:
        try:
            self._file.flush()
        except OSError:
            self._lost()

    def fileno(self) -> int:
        return self._file.fileno()

    def _lost(self) -> None:
        # What is still buffered goes there, too: the interpreter would fail at it when it ends.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)
        hang_up()


class DiffingDriver(LinuxDriver):
    """The driver; `invalidate` makes it paint anew what it believes to be on the screen."""

    def __init__(self, app: Any, **options: Any) -> None:
        # A resize is told to a signal's handler or to the keys' thread, which may be in the middle of a write.
        self._new_size: tuple[int, int] | None = None
        self._forgetting = False
        self._writing = threading.Lock()
        self._buffer = ScreenBuffer(80, 24)
        #: Whether the terminal is ours, and not the shell's.
        self._is_ours = False
        self._was_continued = False
        # Whoever starts programs without being able to continue them has it ignored.
        self._may_stop = signal.getsignal(signal.SIGTSTP) is not signal.SIG_IGN
        super().__init__(app, **options)
        # Else the first layout would go by COLUMNS and LINES.
        self._size = self._size or self._get_terminal_size()
        self._file = Output(self._file)  # type: ignore[assignment, arg-type]

    def invalidate(self) -> None:
        """Believe nothing of what the screen shows: the next paint is sent whole."""
        self._forgetting = True

    def write(self, data: str) -> None:
        with self._writing:
            self._catch_up()
            if self._is_ours and (sent := self._buffer.feed(data)):
                super().write(sent)

    def _catch_up(self) -> None:
        size, self._new_size = self._new_size, None
        if size:
            self._buffer.resize(*size)
        if self._forgetting:
            self._forgetting = False
            self._buffer.resize(self._buffer.columns, self._buffer.lines)

    def start_application_mode(self) -> None:
        # Also after the program was suspended, when others have had the terminal.
        self.invalidate()
        self._is_ours, before = True, self._writer_thread
        while self._writer_thread is before:
            self._was_continued = False
            super().start_application_mode()  # type: ignore[no-untyped-call]
            if self._writer_thread is before and not self._was_continued:
                # It was not stopped in the background, to be continued in front: nobody can give it the terminal.
                self._is_ours = False
                hang_up()
                return

    def suspend_application_mode(self) -> None:
        super().suspend_application_mode()
        self._is_ours = False

    def suspend(self) -> bool:
        """Give the terminal back to the shell and stop, with all that the shell has started as one job: make, sudo, a script.

        Returns when that was continued and the terminal is ours again; False when there is no shell that could continue it.
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

    # A handler may have broken into a write, for whose locks it would wait for ever: what it wants is done afterwards.

    def _sigtstp_application(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self.suspend)

    def _sigcont_application(self, *_: object) -> None:
        self._was_continued = True
        if self._is_ours:
            self._loop.call_soon_threadsafe(self._after_a_stop)

    def _after_a_stop(self) -> None:
        """Set up anew what a SIGSTOP, which cannot be caught, has left to the shell."""
        if self._is_ours:
            self.suspend_application_mode()
            self._come_back()

    def run_input_thread(self) -> None:
        try:
            super().run_input_thread()
        except OSError:
            hang_up()

    def _get_terminal_size(self) -> tuple[int, int]:
        """The terminal's own size. COLUMNS and LINES are what it was for whoever exported them."""
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
    """The driver for a real terminal; None, Textual's choice, where TEXTUAL_DRIVER asks for another one."""
    return None if os.environ.get("TEXTUAL_DRIVER") else DiffingDriver
