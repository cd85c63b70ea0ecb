"""Patterns for terminal escape sequences: how to tokenise output, and which sequences are known to be harmless."""

from __future__ import annotations

import re
from typing import Final

#: Terminal output as tokens, text or sequences; `rest` is an incomplete sequence at the end.
TOKENS: Final = re.compile(
    r"""
      (?P<text>    [^\x00-\x1f\x7f-\x9f]+ )
    | \x1b\[ (?P<sgr> [0-9;:]* ) m
    | \n? \x1b\[ (?P<line> [0-9]* ) (?: ; (?P<move> [0-9]* ) | (?P<home> ) ) [Hf]
    | \x1b\[\?2026 (?P<sync> [hl] )
    | \x1b\] 8; (?P<link> [^\x00-\x1f\x7f-\x9f]* ) (?: \x07 | \x1b\\ )
    | (?P<csi>     \x1b\[ [0-?]* [ -/]* [@-~] )
    | (?P<string>  \x1b (?: \] [^\x07\x1b]* (?: \x07 | \x1b\\ ) | [PX^_] (?: [^\x1b] | \x1b[^\\] )* \x1b\\ ) )
    | (?P<rest>    \n? \x1b (?: \[ [0-?]* [ -/]* | [ -/]+ | \] [^\x07\x1b]* \x1b? | [PX^_] (?: [^\x1b] | \x1b[^\\] )* \x1b? )? \Z )
    | (?P<escape>  \x1b [ -/]* [0-~] )
    | (?P<control> [\x00-\x1f\x7f-\x9f] )
    """,
    re.VERBOSE,
)
#: Sequences that change no cell and do not move the cursor: modes (mouse, focus, paste, cursor, sizes), queries, keyboards, titles.
HARMLESS: Final = re.compile(
    r"""
      \x1b\[\? (?: (?:1|7|12|25|1000|1002|1003|1004|1005|1006|1007|1015|1016|2004|2031|2048) [;]? )+ [hl]
    | \x1b\[ [?]? [0-9;]* \$p | \x1b\[ [?>=]? [0-9;]* [cn] | \x1b\[ [<>=?] [0-9;]* [umq] | \x1b\[ [0-9]* [ ] q
    | \x1b\[ (?: 1[1-9] | 2[0123] ) (?: ;[0-9]* )* t
    | \x1b\] [\s\S]* | \x1bP [+$] q [\s\S]* | \x1bP (?: tmux;\x1b )? \x1b\] [\s\S]* | \x1b[=>] | [\x00\x05\x07]
    """,
    re.VERBOSE,
)
#: Sequences that erase cells at the cursor without moving it.
ERASES: Final = re.compile(r"\x1b\[\??[0-9]*[JKX]")
