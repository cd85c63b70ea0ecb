"""`opsmon ack`: acknowledges runs that went wrong, or takes that back."""

from __future__ import annotations

import argparse
from typing import Final

from opsmon.cli.commands.session import Session
from opsmon.output import cell
from store.errors import InputInvalid
from store.runs.acknowledging import Verdict, acknowledge, unacknowledge

#: What is wanted already holds for a run that somebody has acknowledged before: that is no error.
_EXIT_CODES: Final = {Verdict.NOT_FAILED: 2, Verdict.FORBIDDEN: 3, Verdict.NOT_FOUND: 3}


def ack(session: Session, arguments: argparse.Namespace) -> int:
    """Acknowledge the runs, or take it back, and print a line for each.

    Returns the exit code: 0 if all are acknowledged now, 2 if one did not go wrong, 3 if one may not be, or is not there.
    Raises InputInvalid for a note that is too long, or given to take something back.
    """
    if arguments.undo and arguments.note:
        raise InputInvalid("--undo takes no note", "leave out --note")
    if arguments.undo:
        receipts = unacknowledge(session.db, session.user, arguments.run_ids)
    else:
        receipts = acknowledge(session.db, session.user, arguments.run_ids, arguments.note)
    session.output.show(
        receipts, lambda: "\n".join(cell(f"{one.words[0].upper()}{one.words[1:]}.") for one in receipts)
    )
    return max(_EXIT_CODES.get(one.verdict, 0) for one in receipts)
