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

from screens.glass import Glass

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


class ThinDriver(LinuxDriver):
    """The driver; `forget` makes it paint anew what it believes to be on the screen."""

    def __init__(self, app: Any, **options: Any) -> None:
        # A resize is told to a signal's handler or to the keys' thread, which may be in the middle of a write.
        self._new_size: tuple[int, int] | None = None
        self._forgetting = False
        self._writing = threading.RLock()
        self._feeding = False
        self._glass = Glass(80, 24)
        super().__init__(app, **options)
        self._file = Output(self._file)  # type: ignore[assignment, arg-type]

    def forget(self) -> None:
        """Believe nothing of what the screen shows: the next paint is sent whole."""
        self._forgetting = True

    def write(self, data: str) -> None:
        with self._writing:
            if self._feeding:
                # A stop's handler has broken into a write of its own thread: what it says goes past the glass.
                self.forget()
                super().write(data)
                return
            self._feeding = True
            try:
                self._catch_up()
                if sent := self._glass.feed(data):
                    super().write(sent)
            finally:
                self._feeding = False

    def _catch_up(self) -> None:
        size, self._new_size = self._new_size, None
        if size:
            self._glass.resize(*size)
        if self._forgetting:
            self._forgetting = False
            self._glass.resize(self._glass.columns, self._glass.lines)

    def start_application_mode(self) -> None:
        # Also after the program was suspended, when others have had the terminal.
        self.forget()
        super().start_application_mode()  # type: ignore[no-untyped-call]

    def run_input_thread(self) -> None:
        try:
            super().run_input_thread()
        except OSError:
            hang_up()

    def _get_terminal_size(self) -> tuple[int, int]:
        self._new_size = super()._get_terminal_size()
        return self._new_size

    def process_message(self, message: Message) -> None:
        if isinstance(message, Resize):
            self._new_size = (message.size.width, message.size.height)
        super().process_message(message)


def thin_driver() -> type[Driver] | None:
    """The driver for a real terminal; None, Textual's choice, where TEXTUAL_DRIVER asks for another one."""
    return None if os.environ.get("TEXTUAL_DRIVER") else ThinDriver
