"""The colours of lists: what a record means, as SGR parameters of the terminal's own 16 colours.

Words say the same: who sees no colour misses nothing.
"""

from __future__ import annotations

from typing import Final

from screens.text.roles import SIXTEEN
from store.model.records import Outcome, Run, Status

_SGR: Final = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
#: The screens' own roles for such terminals, as SGR parameters.
ROLES: Final = {
    role: ";".join(_SGR[word] for word in SIXTEEN.inks[role].rich.split())
    for role in ("failed", "partial", "running", "quiet")
}

_OUTCOMES: Final = {
    Outcome.FAILED: "failed",
    Outcome.PARTIALLY_SUCCEEDED: "partial",
    Outcome.SUCCEEDED: "quiet",
    Outcome.CANCELLED: "quiet",
}


def of_run(run: Run) -> str:
    """The SGR parameters for a run's state; empty for one that waits."""
    if run.status is Status.COMPLETED:
        return ROLES.get(_OUTCOMES.get(run.outcome, ""), "")
    return ROLES["running"] if run.status is Status.RUNNING else ""


def of_word(word: str) -> str:
    """The SGR parameters for the state of a backup set or a restore."""
    return ROLES.get(_WORDS.get(word, ""), "")


_WORDS: Final = {
    "failed": "failed",
    "unfinished": "partial",
    "incomplete": "partial",
    "partial": "partial",
    "making": "running",
    "running": "running",
    "complete": "quiet",
    "completed": "quiet",
}
