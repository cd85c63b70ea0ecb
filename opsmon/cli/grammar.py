"""What the grammar of the command line is made of: a parser that speaks in opsmon's words, and groups of commands."""

from __future__ import annotations

import argparse
import difflib
import math
import re
from collections.abc import Iterable
from typing import Any, NoReturn

from opsmon.cli.argument_values import seconds
from store.errors import InputInvalid


def close_match(word: str, known: Iterable[str]) -> str | None:
    """A hint that suggests the known word most similar to `word`; None if none is similar."""
    near = difflib.get_close_matches(word, list(known), 1)
    return f"did you mean '{near[0]}'?" if near else None


class Parser(argparse.ArgumentParser):
    """An ArgumentParser that raises InputInvalid for wrong usage, and accepts no abbreviations: scripts would rely on them."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter, **options)

    def error(self, message: str) -> NoReturn:
        """Raise InputInvalid with argparse's message in opsmon's words."""
        choice = re.match(r"argument ([^:]+): invalid choice: (['\"])(.*)\2 \(choose from (.*)\)$", message)
        if choice:
            raise self._no_such_choice(choice[1], choice[3], re.findall(r"[\w.-]+", choice[4]))
        missing = re.match(r"the following arguments are required: (.*)", message)
        if missing:
            raise InputInvalid(f"'{self.prog}' lacks {missing[1]}", f"see '{self.prog} --help'")
        raise InputInvalid(message.removeprefix("argument "), f"see '{self.prog} --help'")

    def _no_such_choice(self, of: str, given: str, known: list[str]) -> InputInvalid:
        near = close_match(given, known)
        if of.startswith("-"):
            return InputInvalid(f"{of} cannot be '{given}'", near or f"known are {', '.join(known)}")
        return InputInvalid(f"there is no command '{self.prog} {given}'", near or f"see '{self.prog} --help'")


class Commands:
    """The subcommands of a parser, each with the common options."""

    def __init__(self, parser: Parser, common: Parser, dest: str, required: bool) -> None:
        self._common = common
        self._parsers = parser.add_subparsers(dest=dest, metavar="COMMAND", required=required, title="commands")

    def add(self, name: str, run: str, help: str, more: str | None = None) -> Parser:  # noqa: A002 (argparse's word)
        """Add a command. Words left over go to the list argument named by `more`."""
        parser: Parser = self._parsers.add_parser(
            name, help=help, description=help[0].upper() + help[1:] + ".", parents=[self._common]
        )
        parser.set_defaults(run=run, more=more)
        return parser

    def group(self, name: str, help: str, run: str | None = None) -> Commands:  # noqa: A002
        """Add a group of commands. `run` is what the group's name does without one of them; None if it wants one."""
        parser = self._parsers.add_parser(name, help=help, description=help, parents=[self._common])
        if run is not None:
            parser.set_defaults(run=run, more=None)
        return Commands(parser, self._common, "action", required=run is None)


def add_wait(parser: Parser) -> None:
    """Add --wait to a command that starts runs."""
    parser.add_argument(
        "--wait",
        nargs="?",
        type=seconds,
        const=math.inf,
        metavar="SECONDS",
        help="wait until the run has ended, but at most SECONDS if given",
    )
