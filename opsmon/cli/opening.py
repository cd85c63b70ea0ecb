"""The words with which the screens are opened at a place: `opsmon 17`, `opsmon outcome:failed since:2h`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from opsmon.cli.argument_values import run_id
from opsmon.cli.grammar import NEGATION
from store.errors import InputInvalid

#: A run's number, and a term of the filter, which may be negated with `!` (with `-`: NEGATION). All other words are commands.
_NUMBER: Final = re.compile(r"[0-9]+")
_TERM: Final = re.compile(r"!?[a-z-]+:")
#: The option before a command that takes the next word.
_TAKES_A_WORD: Final = "--as"


def split(argv: Sequence[str]) -> tuple[list[str], int | None, list[str]]:
    """The options that are left for the grammar, the run to open, and the terms to open the list with.

    If the first word is a command there is nothing to open, and all is left. Raises InputInvalid if a run's number stands
    beside other words, and NotFound for a number that no run can have.
    """
    options, words = _apart(argv)
    if not words or not (_NUMBER.fullmatch(words[0]) or _TERM.match(words[0]) or NEGATION.match(words[0])):
        return list(argv), None, []
    if not _NUMBER.fullmatch(words[0]):
        return options, None, words
    if len(words) > 1:
        raise InputInvalid("a run is opened alone", f"'opsmon {words[0]}', or a filter without it")
    return options, run_id(words[0]), []


def _apart(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """The options of `opsmon` itself, with their values, and all other words."""
    options: list[str] = []
    words: list[str] = []
    is_value = False
    for word in argv:
        is_option = is_value or (word.startswith("-") and not NEGATION.match(word))
        (options if is_option else words).append(word)
        is_value = word == _TAKES_A_WORD and not is_value
    return options, words
