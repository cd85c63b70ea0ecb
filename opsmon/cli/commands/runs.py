"""`opsmon start`, `wait`, `runs` and `show`: starts, waits for, lists and shows runs."""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import json
import math
import shutil
import sys
import time
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NoReturn

from opsmon.cli.commands import watching
from opsmon.cli.commands.session import Session
from opsmon.cli.grammar import close_match
from opsmon.cli.run_text import moment_as_json, moment_text, run_as_json, run_line, run_text, runs_listing
from screens.text import explain
from screens.text.incident_card import card
from screens.text.timeline import Moment, timeline
from store.errors import DatabaseAway, DatabaseReadOnly, InputInvalid
from store.model.records import Outcome, Run, Status
from store.people import access, notifications
from store.runs import detail as run_detail
from store.sanitizer.sanitize import visible
from store.search import pages
from store.search.filter import RunFilter, parse
from store.search.pages import Page
from store.search.resolve import resolve_filter
from store.workers import heartbeats
from store.workers import pause as queue_pause
from tasks.dispatch import Receipt, Started
from tasks.sdk.operation import Operation
from tasks.sdk.registry import Registry

#: Seconds between two reads of a run that is waited for.
POLL: Final = 0.2
#: Seconds between two checks of why that run does not continue.
LOOK_AFTER: Final = 2.0
#: Exit codes.
DONE, COULD_NOT, PARTIAL, FAILED, WAIT_RAN_OUT = 0, 1, 4, 5, 6


def start(session: Session, arguments: argparse.Namespace) -> int:
    """Start an operation and print the receipt. Returns the exit code, of the run if waited for."""
    operation = _operation(session.services.registry, arguments.type)
    operation.check_start()  # before its parameters, which only its own place can give
    parameters = operation.parse(given_parameters(operation, arguments.parameters))
    user = session.user
    started = session.services.dispatcher.start(user, arguments.tenant, operation.type, parameters)
    return show_receipt(session, started, arguments.wait)


def wait(session: Session, arguments: argparse.Namespace) -> int:
    """Wait for a run and print it. Returns the exit code of the run."""
    run = _wait(session, arguments.run_id, math.inf if arguments.seconds is None else arguments.seconds)
    session.output.show(run, lambda: run_line(run))
    return _exit_code(run)


def runs(session: Session, arguments: argparse.Namespace) -> int:
    """Print the runs that match a filter, newest first. Returns the exit code."""
    wanted = parse(arguments.filters)
    if arguments.watch:
        return _watch(session, wanted, arguments.limit)
    page, silences = _listed(session, wanted, arguments.limit)
    session.output.rows(runs_listing(silences), page.runs)
    if page.scanned_to and len(page.runs) < arguments.limit:
        at = page.scanned_to.created_at.isoformat(timespec="seconds")
        watching.tell(f"looked back to {at} only: 'before:{at}' goes on")
    return DONE


def _listed(session: Session, wanted: RunFilter, limit: int) -> tuple[Page, Mapping[int, float]]:
    """The newest runs that match, and the seconds since the last beat of silent workers, by run id."""
    user = session.user
    with session.db.read() as connection:
        members = access.read_memberships(connection, user.id)
        page = pages.page(connection, resolve_filter(connection, members, user.id, wanted), limit)
        return page, heartbeats.silences(connection, page.runs, session.services.settings.silent_after)


def _watch(session: Session, wanted: RunFilter, limit: int) -> NoReturn:
    """Paint the list again and again, or print each run into a pipe as a line of JSON whenever it has changed, until ctrl+c."""
    looks = watching.looks(session, lambda: _listed(session, wanted, limit))
    if session.output.is_painted:
        with watching.painting() as paint:
            for page, silences in looks:
                paint(_cut_below(session.output.table(runs_listing(silences), page.runs)))
    seen: dict[int, dt.datetime] = {}
    for page, silences in looks:
        new = [run for run in reversed(page.runs) if seen.get(run.id) != run.updated_at]
        lines = session.output.lines(runs_listing(silences), new)
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        sys.stdout.flush()
        seen = {run.id: run.updated_at for run in page.runs}
    raise AssertionError("looks end with an exception alone")


def _cut_below(text: str) -> str:
    """What of the list has room in the terminal's height."""
    return "\n".join(text.splitlines()[: max(1, shutil.get_terminal_size().lines - 1)])


def show(session: Session, arguments: argparse.Namespace) -> int:
    """Print one run, and mark its notifications as read. Returns the exit code; with --follow that of the run, once it has
    ended.
    """
    if arguments.follow and arguments.card:
        raise InputInvalid("a card is not followed", "leave --follow or --card out")
    if arguments.follow:
        return _follow(session, arguments.run_id)
    user, settings = session.user, session.services.settings
    lost_after, silent_after = settings.lost_after_seconds, settings.silent_after
    with session.db.read() as connection:
        detail = run_detail.read_visible(connection, user.id, arguments.run_id, lost_after, silent_after)
        alive = heartbeats.alive(connection, lost_after)
        now = run_detail.clock(connection)
    if arguments.card:
        text = card(detail, now, session.db.name, user.login)
        session.output.show({"card": text}, lambda: text.rstrip("\n"))
    else:
        session.output.show(run_as_json(detail), lambda: run_text(detail, alive, now))
    with contextlib.suppress(DatabaseReadOnly):  # the run was shown; its notifications stay unread
        notifications.mark_read(session.db, user.id, run_id=detail.run.id)
    return DONE


def _follow(session: Session, run_id: int) -> int:
    """Print the run's timeline, and what is new of it as it comes, until it has ended. Returns the exit code of the run."""
    user, output, seen = session.user, session.output, set[Hashable]()

    def read() -> tuple[Run, list[Moment]]:
        with session.db.read() as connection:
            detail = run_detail.read_visible(connection, user.id, run_id)
            return detail.run, timeline(detail)

    for run, moments in watching.looks(session, read):
        for one in moments:
            if one.key not in seen:
                sys.stdout.write((json.dumps(moment_as_json(one)) if output.json else moment_text(one)) + "\n")
        sys.stdout.flush()
        seen |= {one.key for one in moments}
        if run.status is Status.COMPLETED:
            return _exit_code(run)
    raise AssertionError("looks end with an exception alone")


def _operation(registry: Registry, type_: str) -> Operation:
    """The operation of this type. Raises InputInvalid, which suggests a similar name."""
    near = close_match(type_, registry.operations)
    if type_ not in registry.operations and near:
        raise InputInvalid(f"there is no operation '{type_}'", near)
    return registry.get(type_)


def given_parameters(operation: Operation, given: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The texts of --param by name. Raises InputInvalid for a name given twice, or unknown but similar to a known one."""
    found: dict[str, str] = {}
    known = [parameter.name for parameter in operation.parameters]
    for name, value in given:
        near = close_match(name, known)
        if name in found:
            raise InputInvalid(f"parameter '{name}' is given twice", "give it once; a list takes a,b,c")
        if name not in known and near:
            raise InputInvalid(f"there is no parameter '{name}'", near)
        found[name] = value
    return found


@dataclass(frozen=True, slots=True)
class More:
    """What is printed behind the receipt of a run that was waited for."""

    #: Keys of the JSON.
    json: Mapping[str, object]
    text: str


def show_receipt(
    session: Session, started: Started, seconds: float | None, more: Callable[[], More] | None = None
) -> int:
    """Print the receipt, after waiting up to `seconds` for the run unless None; behind it what `more` returns, if the run was
    waited for. Returns the exit code.
    """
    run = started.run
    waits = seconds is not None and started.receipt is not Receipt.DISPATCH_FAILED
    if seconds is not None and waits:
        run = _wait(session, run.id, seconds)
    behind = more() if more and waits else More({}, "")
    line = f"{RECEIPTS[started.receipt]} {run_line(run)}"
    session.output.show(
        {"receipt": started.receipt, "run": run, **behind.json},
        lambda: f"{line}\n\n{behind.text}" if behind.text else line,
    )
    if started.receipt is Receipt.DISPATCH_FAILED:
        watching.tell(f"run {run.id} could not be queued: see 'opsmon doctor'")
        return COULD_NOT
    return _exit_code(run) if waits else DONE


RECEIPTS: Final = {
    Receipt.QUEUED: "Queued.",
    Receipt.ATTACHED: "Joined the run that is active already.",
    Receipt.DISPATCH_FAILED: "Not queued.",
}


def _wait(session: Session, run_id: int, seconds: float) -> Run:
    """Wait up to `seconds` for the run to be completed; returns its last state. Raises NotFound, or DatabaseAway naming
    the run.
    """
    user, db, deadline = session.user, session.db, time.monotonic() + seconds
    look_at, said = time.monotonic() + LOOK_AFTER, ""
    while True:
        try:
            run = access.visible_run(db, user, run_id)
            if run.held:
                said = _say(f"run {run.id}: {explain.why_held(run)}", said)
            elif run.status is not Status.COMPLETED and time.monotonic() >= look_at:
                look_at, said = time.monotonic() + LOOK_AFTER, _say_why(session, run, said)
        except DatabaseAway as error:
            raise DatabaseAway(f"run {run_id} cannot be watched: {error.message}", error.hint) from error
        left = deadline - time.monotonic()
        if run.status is Status.COMPLETED or left <= 0:
            return run
        time.sleep(min(POLL, left))


def _say_why(session: Session, run: Run, said: str) -> str:
    """Print on standard error why the run does not continue, unless that is `said` already. Returns the line, or an
    empty text.
    """
    settings = session.services.settings
    with session.db.read() as connection:
        silences = heartbeats.silences(connection, [run], settings.silent_after)
        alive = heartbeats.alive(connection, settings.lost_after_seconds)
        paused = queue_pause.current(connection)
    why = ""
    if silences:
        why = "its worker is silent"
    elif run.status is Status.QUEUED and paused:
        why = f"the queue is paused by {visible(paused.login)}"
    elif run.status is Status.QUEUED and not alive:
        why = "no worker is alive: start one with 'opsmon worker'"
    return _say(f"run {run.id} waits: {why}" if why else "", said)


def _say(line: str, said: str) -> str:
    """Print the line on standard error, unless it is empty or `said` already. Returns it."""
    if line and line != said:
        watching.tell(line)
    return line


def _exit_code(run: Run) -> int:
    if run.status is not Status.COMPLETED:
        watching.tell(f"run {run.id} is still {run.status_words}: 'opsmon wait {run.id}' goes on waiting")
        return WAIT_RAN_OUT
    return {Outcome.SUCCEEDED: DONE, Outcome.PARTIALLY_SUCCEEDED: PARTIAL}.get(run.outcome, FAILED)
