"""`opsmon` and `opsmon demo`: shows the screens. Both need a terminal."""

from __future__ import annotations

import argparse
import gc

from opsmon.cli.commands.session import Session
from opsmon.cli.splash import has_terminal
from store.errors import InputInvalid


def screens(session: Session, arguments: argparse.Namespace) -> int:
    """Show the screens, with an embedded worker if the database is embedded. Returns the exit code.

    Raises FilterInvalid, before there is anything to see, if they are to be opened with terms that are no filter.
    """
    terms = _line_of(arguments.open_terms) if arguments.open_terms else None
    _require_terminal(session)
    # Start-up makes no garbage, and collecting takes a tenth of its time. The screens turn the collector on again.
    gc.disable()
    from opsmon.embedded.database import prepare
    from opsmon.embedded.worker import worker_beside

    prepare(session.services)
    user = session.user
    from opsmon.app import run_screens

    with worker_beside(session.services):
        return run_screens(session.services, user, session.splash.hand_over, terms=terms, run_id=arguments.open_run)


def _line_of(terms: list[str]) -> str:
    from store.search.filter import line_of, parse

    parse(terms)
    return line_of(terms)


def demo(session: Session, arguments: argparse.Namespace) -> int:
    """Show the screens on the demo's database. Returns the exit code."""
    _require_terminal(session)
    from opsmon.demo.demo import run

    return run(arguments.postgres, session.as_login)


def _require_terminal(session: Session) -> None:
    if session.output.json:
        raise InputInvalid("the screens cannot be printed as JSON", "'opsmon runs --json' prints the runs")
    if not has_terminal():
        raise InputInvalid("the screens need a terminal, and this is none", "'opsmon runs' prints the runs")
