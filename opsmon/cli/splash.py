"""The splash shown while the screens' modules load, for about half a second."""

from __future__ import annotations

import os
import sys
from typing import Final

_ALTERNATE_SCREEN: Final = "\x1b[?1049h\x1b[H\x1b[2J"
_MAIN_SCREEN: Final = "\x1b[?1049l"


def has_terminal() -> bool:
    """Whether standard input and output are a terminal that can show the screens."""
    stands = sys.stdin and sys.stdin.isatty() and sys.stdout and sys.stdout.isatty()
    return bool(stands) and os.environ.get("TERM", "dumb") not in ("", "dumb")


class Splash:
    """Draws with plain escape sequences and ASCII only: anything better would have to be loaded first."""

    def __init__(self) -> None:
        self._stands = False

    def show(self) -> None:
        """Draw the splash on the alternate screen, if there is a terminal."""
        if not has_terminal():
            return
        self._stands = True
        sys.stdout.write(f"{_ALTERNATE_SCREEN} opsmon  loading\x1b[H")
        sys.stdout.flush()

    def hand_over(self) -> None:
        """Leave the terminal to the screens, which restore it themselves."""
        self._stands = False

    def take_away(self) -> None:
        """Restore the terminal, so that an error message can be read."""
        if self._stands:
            self._stands = False
            sys.stdout.write(_MAIN_SCREEN)
            sys.stdout.flush()
