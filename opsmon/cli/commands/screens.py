"""`opsmon` and `opsmon demo`: the screens, where there is a terminal to show them on."""

from __future__ import annotations

import argparse
import gc

from opsmon.cli.commands.session import Session
from opsmon.cli.splash import has_terminal
from store.errors import InputInvalid


def screens(session: Session, _: argparse.Namespace) -> int:
    _require_terminal(session)
    # Nothing of what a start makes is garbage, and looking for it takes a tenth of the time. The screens turn it on again.
    gc.disable()
    from opsmon.embedded.database import prepare
    from opsmon.embedded.worker import worker_beside

    prepare(session.services)
    user = session.user
    from opsmon.app import run_screens

    with worker_beside(session.services):
        return run_screens(session.services, user, session.splash.hand_over)


def demo(session: Session, arguments: argparse.Namespace) -> int:
    _require_terminal(session)
    from opsmon.demo.demo import run

    return run(arguments.postgres)


def _require_terminal(session: Session) -> None:
    if session.output.json:
        raise InputInvalid("the screens cannot be printed as JSON", "'opsmon runs --json' prints the runs")
    if not has_terminal():
        raise InputInvalid("the screens need a terminal, and this is none", "'opsmon runs' prints the runs")
