"""What the grammar of the command line is made of: a parser that speaks in opsmon's words, and groups of commands."""

from __future__ import annotations

import argparse
import difflib
import math
import re
from collections.abc import Iterable
from typing import Any, Final, NoReturn

from opsmon.cli.argument_values import columns, seconds
from store.errors import InputInvalid

#: A negated filter term, which is not an option.
NEGATION: Final = re.compile(r"-([a-z-]+:|mine$|acked$)")


def close_match(word: str, known: Iterable[str]) -> str | None:
    """A hint that suggests the known word most similar to `word`; None if none is similar."""
    near = difflib.get_close_matches(word, list(known), 1)
    return f"did you mean '{near[0]}'?" if near else None


class Parser(argparse.ArgumentParser):
    """An ArgumentParser that raises InputInvalid for wrong usage, and accepts no abbreviations: scripts would rely on them."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter, **options)

    def commands(self) -> dict[str, Parser]:
        """The parsers of the commands by name; empty if it is a command itself."""
        groups = (action for action in self._actions if isinstance(action, argparse._SubParsersAction))
        return {name: parser for group in groups for name, parser in group.choices.items()}

    def _parse_optional(self, arg_string: str) -> Any:
        # argparse would read `-outcome:failed` as `-o utcome:failed`.
        return None if self._takes_filters and NEGATION.match(arg_string) else super()._parse_optional(arg_string)

    @property
    def _takes_filters(self) -> bool:
        return bool(self.get_default("more") == "filters")

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
        """Add a group of commands. `run` is the list that the group's name prints without one of them; None if it wants one."""
        parser = self._parsers.add_parser(name, help=help, description=help, parents=[self._common])
        if run is not None:
            parser.set_defaults(run=run, more=None)
            add_output(parser)
        return Commands(parser, self._common, "action", required=run is None)


#: The forms of a list; opsmon/output.py, which help must not wait for, has them too.
FORMS: Final = ("table", "wide", "json", "jsonl", "name")


def add_output(parser: Parser) -> None:
    """Add -o and --columns to a command that prints a list."""
    # Without defaults: that of a command would overwrite a value given to its group before it.
    parser.add_argument(
        "-o", dest="form", choices=FORMS, metavar="FORM", default=argparse.SUPPRESS,
        help="table, wide, json, jsonl (an object a line) or name (the ids alone)",
    )  # fmt: skip
    parser.add_argument(
        "--columns", type=columns, metavar="A,B", default=argparse.SUPPRESS,
        help="these columns alone, by the names of the JSON fields",
    )  # fmt: skip


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
