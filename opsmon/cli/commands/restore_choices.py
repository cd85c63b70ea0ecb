"""`opsmon restore choose`, `agree` and `discard`: what a person decides between a preview and the execution."""

from __future__ import annotations

import argparse
from typing import Any

from opsmon.cli.commands.restores import show_changed
from opsmon.cli.commands.session import Session
from store.errors import InputInvalid
from store.runs import restoring


def choose(session: Session, arguments: argparse.Namespace) -> int:
    """Choose what becomes of an item, or leave out everything that is blocked or ambiguous. Returns the exit code."""
    number = arguments.restore_id
    if arguments.skip_blocked and arguments.item_id is not None:
        raise InputInvalid("--skip-blocked takes no item", "'--skip' leaves one out")
    if arguments.skip_blocked:
        restoring.leave_out_blocked(session.db, session.user, number)
    else:
        restoring.choose(session.db, session.user, number, {_item(arguments): _choice(arguments)})
    return show_changed(session, number)


def _item(arguments: argparse.Namespace) -> int:
    if arguments.item_id is None:
        raise InputInvalid("there is no item to choose for", "write 'opsmon restore choose RESTORE ITEM --skip'")
    return int(arguments.item_id)


def _choice(arguments: argparse.Namespace) -> dict[str, Any]:
    if arguments.skip:
        return {"skip": True}
    return {} if arguments.nothing else {"target_id": arguments.target}


def agree(session: Session, arguments: argparse.Namespace) -> int:
    """Agree to these ticks, and to no others. Returns the exit code."""
    restoring.tick(session.db, session.user, arguments.restore_id, arguments.ticks)
    return show_changed(session, arguments.restore_id)


def discard(session: Session, arguments: argparse.Namespace) -> int:
    """Give a preview up. Returns the exit code."""
    restoring.discard(session.db, session.user, arguments.restore_id)
    return show_changed(session, arguments.restore_id)
