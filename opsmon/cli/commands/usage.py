"""`opsmon help` and `opsmon completion`: say how commands are used, to people and to shells. Neither needs a database."""

from __future__ import annotations

import argparse

from opsmon.cli.commands.session import Session
from opsmon.cli.grammar import Parser, close_match
from opsmon.cli.parser import make_parser
from store.errors import InputInvalid


def usage(session: Session, arguments: argparse.Namespace) -> int:
    """Print the help of a command, or of opsmon itself. Returns the exit code. Raises InputInvalid for what is none."""
    parser = make_parser()
    for word in arguments.words:
        parser = _command(parser, word)
    text = parser.format_help().rstrip("\n")
    session.output.show({"command": parser.prog, "help": text}, lambda: text)
    return 0


def _command(parser: Parser, word: str) -> Parser:
    known = parser.commands()
    if word not in known:
        hint = close_match(word, known) or f"see '{parser.prog} --help'"
        raise InputInvalid(f"there is no command '{parser.prog} {word}'", hint)
    return known[word]


def completion(session: Session, arguments: argparse.Namespace) -> int:
    """Print the code that makes a shell complete opsmon's arguments. Returns the exit code."""
    from argcomplete.shell_integration import shellcode

    # Without the shell's own completion beside it: where nothing is offered, names of files would be refused.
    code = shellcode(["opsmon"], shell=arguments.shell, complete_arguments=["-o", "nospace"]).strip("\n")
    session.output.show({"shell": arguments.shell, "code": code}, lambda: code)
    return 0
