"""How many cells text takes, and for which characters all terminals agree on that."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final, NamedTuple

from rich.cells import cell_len

_ZWJ: Final = "\u200d"
#: Letters, punctuation, lines, blocks and signs that take one cell each in all terminals: the fast path for most text.
CERTAIN: Final = re.compile(
    "[ -~\u00a1-\u00ac\u00ae-\u02ff\u0370-\u0373\u0376\u0377\u037b-\u037e\u0391-\u03a1\u03a3-\u0482\u048a-\u052f"
    "\u2010-\u2027\u2030-\u205e\u20a0-\u20bf\u2190-\u22ff\u2400-\u2426\u2500-\u25fc\u2800-\u28ff\ufffd⌫⏎★☆✓✗✘]*"
).fullmatch
#: Ideographs, syllables and full-width forms that take two cells in all terminals. Emoji are not among them.
_WIDE: Final = re.compile(
    "[\u2e80-\u3029\u3030-\u303e\u3041-\u3098\u309b-\ua4cf\uac00-\ud7a3\uf900-\ufaff\uff01-\uff60]"
).fullmatch


class Cluster(NamedTuple):
    """Characters that share their cells. `width` is 0 to 2 cells; 0 if they combine with the preceding cluster."""

    text: str
    width: int
    certain: bool


def clusters(text: str) -> list[Cluster]:
    """Split the text into clusters."""
    pieces: list[str] = []
    for char in text:
        if pieces and _joins(pieces[-1], char):
            pieces[-1] += char
        else:
            pieces.append(char)
    return [_measured(piece) for piece in pieces]


def _joins(piece: str, char: str) -> bool:
    return piece.endswith(_ZWJ) or cell_len(char) == 0 or (_is_flag(char) and len(piece) == 1 and _is_flag(piece))


def _is_flag(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


@lru_cache(maxsize=4096)
def _measured(piece: str) -> Cluster:
    return Cluster(piece, min(cell_len(piece), 2), is_certain(piece))


@lru_cache(maxsize=4096)
def is_certain(cell: str) -> bool:
    """Whether all terminals agree with us on the width of this cluster."""
    if CERTAIN(cell):
        return True
    return (
        len(cell) == 1
        and _WIDE(cell) is not None
        and unicodedata.east_asian_width(cell) in "WF"
        and cell_len(cell) == 2
    )
