"""Completes the arguments that a shell asks for, with argcomplete: what each word of the grammar can be.

It only reads, and only what the user may see. A database that is away, slow or not there offers nothing and is not waited for.
"""

from __future__ import annotations

import argparse
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NoReturn, TextIO

from argcomplete.completers import DirectoriesCompleter, SuppressCompleter
from argcomplete.finders import CompletionFinder

from opsmon.cli import offers
from opsmon.cli.parser import make_parser

#: Seconds that a person waits for offers, and offers at most.
PATIENCE: Final = 2.0
MOST: Final = 50

Offer = Callable[[str, argparse.Namespace], Mapping[str, str]]


def complete(
    output: TextIO | None = None,
    leave: Callable[[int], NoReturn] | None = None,
    finder: CompletionFinder | None = None,
) -> None:
    """Answer the shell, which says in the environment what it wants completed, and end the process.

    For tests: `output` in place of file descriptor 8, `leave` in place of the end, and a `finder` that leaves descriptor 9 alone.
    """
    parser = make_parser()
    attach(parser)
    more: dict[str, Any] = {} if leave is None else {"exit_method": leave}
    (finder or CompletionFinder())(
        parser, always_complete_options=False, default_completer=SuppressCompleter(), output_stream=output, **more
    )


def attach(parser: argparse.ArgumentParser) -> None:
    """Give each argument of the grammar what completes it, by the word that stands for it in the help."""
    for command in _commands(parser):
        for action in command._actions:
            if offer := _offer(command.prog, action):
                action.completer = offer  # type: ignore[attr-defined]


def _commands(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for one in action.choices.values():
                yield from _commands(one)


def _offer(prog: str, action: argparse.Action) -> Callable[..., Any] | None:
    word = action.metavar if isinstance(action.metavar, str) else ""
    if word in ("DIR", "FOLDER"):
        return DirectoriesCompleter()
    if word in _OWN and not action.option_strings and prog.endswith(" add"):
        return None  # a new one, which is not to be one that there is
    if word == "A,B":
        return _Completer(lambda prefix, _: offers.columns(prog, prefix))
    found = _OFFERS.get((prog, word)) or _OFFERS.get(("", word))
    return _Completer(found) if found else None


_OWN: Final = ("SLUG", "LOGIN")
_OFFERS: Final[Mapping[tuple[str, str], Offer]] = {
    ("", "RUN"): lambda _, given: offers.runs(given, ()),
    ("opsmon retry", "RUN"): lambda _, given: offers.runs(given, ("status:completed",)),
    ("opsmon wait", "RUN"): lambda _, given: offers.runs(given, ("-status:completed",)),
    ("opsmon drift show", "RUN"): lambda _, given: offers.runs(given, ("type:drift.generate",)),
    ("", "SLUG"): lambda _, given: offers.tenants(given),
    ("", "LOGIN"): lambda _, given: offers.logins(given),
    ("", "TYPE"): lambda _, given: offers.operations(given),
    ("", "K=V"): offers.parameters,
    ("", "FILTER"): offers.filters,
    ("", "TERM"): offers.audit_terms,
    ("", "KIND"): lambda _, __: offers.kinds(),
    ("", "SET"): lambda _, given: offers.sets(given),
    ("", "SCHEDULE"): lambda _, given: offers.schedules(given),
    ("", "RESTORE"): lambda _, given: offers.restores(given),
    ("", "TICK"): lambda _, __: offers.ticks(),
    ("", "ZONE"): lambda _, __: offers.zones(),
    ("", "COMMAND"): lambda _, given: offers.commands(given),
}


class _Completer:
    """Answers argcomplete with at most MOST offers that begin as the word does, within PATIENCE; and with none if it cannot."""

    def __init__(self, offer: Offer) -> None:
        self._offer = offer

    def __call__(self, prefix: str, parsed_args: argparse.Namespace, **_: object) -> dict[str, str]:
        """The offers, each with what is said beside it."""
        if _is_behind_wait():
            return {}
        found = within(PATIENCE, lambda: self._offer(prefix, parsed_args))
        fitting = ((value, words) for value, words in found.items() if value.startswith(prefix))
        return dict(_at_most(MOST, ((value, words) for value, words in fitting if value.isprintable())))


def _is_behind_wait() -> bool:
    """Whether the word stands behind --wait: the grammar would take it for the seconds, of which there is nothing to offer."""
    line = os.environ.get("COMP_LINE", "")[: int(os.environ.get("COMP_POINT", "0"))]
    *before, _ = line.split(" ")
    return before[-1:] == ["--wait"]


def _at_most(most: int, found: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for _, one in zip(range(most), found, strict=False):
        yield one


def within(seconds: float, read: Callable[[], Mapping[str, str]]) -> Mapping[str, str]:
    """What `read` returns; nothing if it raises or takes longer, and then it is left behind."""
    made: list[Mapping[str, str]] = []

    def work() -> None:
        try:
            made.append(read())
        except BaseException:  # noqa: BLE001, RUF100 (nothing may be said on a line that is being typed)
            return

    thread = threading.Thread(target=work, name="offers", daemon=True)
    thread.start()
    thread.join(seconds)
    return made[0] if made else {}
