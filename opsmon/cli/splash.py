"""The empty frame that stands while the screens are loaded: for half a second nothing else would tell that they come."""

from __future__ import annotations

import os
import sys
from typing import Final

_ALTERNATE_SCREEN: Final = "\x1b[?1049h\x1b[H\x1b[2J"
_MAIN_SCREEN: Final = "\x1b[?1049l"


def has_terminal() -> bool:
    """Whether the screens have somewhere to be shown."""
    stands = sys.stdin and sys.stdin.isatty() and sys.stdout and sys.stdout.isatty()
    return bool(stands) and os.environ.get("TERM", "dumb") not in ("", "dumb")


class Splash:
    """Drawn by hand, in letters that every terminal has: whatever could draw it better would have to be loaded first."""

    def __init__(self) -> None:
        self._stands = False

    def show(self) -> None:
        """Draw the frame on the alternate screen, if there is a terminal."""
        if not has_terminal():
            return
        self._stands = True
        sys.stdout.write(f"{_ALTERNATE_SCREEN} opsmon  loading\x1b[H")
        sys.stdout.flush()

    def hand_over(self) -> None:
        """From now on the terminal is the screens', which put it back by themselves."""
        self._stands = False

    def take_away(self) -> None:
        """Give the terminal back, so that what went wrong can be read."""
        if self._stands:
            self._stands = False
            sys.stdout.write(_MAIN_SCREEN)
            sys.stdout.flush()
