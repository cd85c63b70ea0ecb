"""Python's garbage collector in a worker's process."""

from __future__ import annotations

import gc
from typing import Final

#: New objects after which the young ones are looked at. A page of policies makes more than the default of 700 at once, and
#: all of them live until it is stored: looking at them again and again takes a sixth of a sync's time.
_YOUNG: Final = 20_000


def collect_rarely() -> None:
    """Look for garbage less often, and never among what exists now: call it once everything is imported."""
    gc.freeze()
    gc.set_threshold(_YOUNG, 10, 10)
