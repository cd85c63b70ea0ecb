"""Words for groups of a directory: their names with every blank, and what they are. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from screens.text.safe import clean

#: What stands for a blank at an end of a name, where it could not be seen.
BLANK: Final = "␣"
_TYPES: Final = {"microsoft365": "Microsoft 365"}


def types(given: Sequence[str]) -> str:
    """How a group has its members, and whether it is one of Microsoft 365: `dynamic, Microsoft 365`."""
    ways = [_TYPES.get(one, one) for one in given if one != "microsoft365"]
    return ", ".join([*ways, *(_TYPES[one] for one in given if one == "microsoft365")])


def name(given: str) -> str:
    """The name as it is, with a visible mark for each blank at its ends: two names may differ by nothing else."""
    text = clean(given)
    if not text:
        return "(without a name)"
    begun = len(text) - len(text.lstrip())
    ended = len(text) - len(text.rstrip()) if text.strip() else 0
    return BLANK * begun + text.strip() + BLANK * ended
