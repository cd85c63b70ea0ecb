"""`opsmon runs --watch` and `opsmon show --follow`: go on printing what changes. They only read the database."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import sleep
from typing import Final, TypeVar

from opsmon.cli.commands.session import Session
from opsmon.signals import ended_by_signals
from store.errors import DatabaseAway

T = TypeVar("T")

#: Writes from the top again and clears what is left, so that a list stands still where it is.
_HOME: Final = "\x1b[H"
_CLEAR_LINE: Final = "\x1b[K"
_CLEAR_BELOW: Final = "\x1b[J"
_ALTERNATE_SCREEN: Final = "\x1b[?1049h\x1b[?25l"
_MAIN_SCREEN: Final = "\x1b[?25h\x1b[?1049l"


def looks(session: Session, read: Callable[[], T]) -> Iterator[T]:
    """What `read` returns, again every `poll_seconds`, without an end.

    A database that is away is told on standard error once, and once that it is back; it is looked for at the same rate.
    """
    is_away = False
    while True:
        try:
            found = read()
        except DatabaseAway as error:
            if not is_away:
                tell(f"{error.message}; it is looked for until ctrl+c")
            is_away = True
        else:
            if is_away:
                tell("the database is back")
            is_away = False
            yield found
        sleep(session.services.settings.poll_seconds)


def tell(line: str) -> None:
    """Print a line beside the result."""
    sys.stdout.flush()
    sys.stderr.write(f"opsmon: {line}\n")


@contextmanager
def painting() -> Iterator[Callable[[str], None]]:
    """A function that paints a text over the one before, on a screen of its own that goes away at the end, also on SIGTERM.

    The text has at least one line less than the terminal.
    """

    def paint(text: str) -> None:
        lines = "".join(f"{line}{_CLEAR_LINE}\n" for line in text.splitlines())
        # It ends on a line of its own, where what is told beside it goes.
        sys.stdout.write(_HOME + lines + _CLEAR_BELOW)
        sys.stdout.flush()

    with ended_by_signals():
        sys.stdout.write(_ALTERNATE_SCREEN)
        try:
            yield paint
        finally:
            sys.stdout.write(_MAIN_SCREEN)
            sys.stdout.flush()
