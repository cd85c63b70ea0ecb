"""How a path to a value of a body is written for people: readable, and never the same for two values of one comparison.

`settings[firewall_x].simpleSettingValue.value`: see Difference (differences.py) for what a path is made of.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

from tasks.graph.pairing import Name, Pairing

#: So long may a name be in a path, in characters; of a longer one the middle is left out.
_LONGEST: Final = 80
_HEAD: Final = 35
_TAIL: Final = 44

#: Keys that stand in a path as they are. Neither they nor names may hold what no UTF-8 has.
_PLAIN_KEY: Final = re.compile(r"[^\x00-\x1f\ud800-\udfff.@\[\]\"]+(?:@odata\.(?:type|bind))?|@odata\.type")
#: Names that stand in a path as they are. What looks like an index or a number of ours is none of them.
_PLAIN_NAME: Final = re.compile(r"(?!(?:was |#)?[0-9]+$)[^\x00-\x1f\ud800-\udfff\[\]\"]+")


def under(path: str, key: str) -> str:
    """The path of a key of the object that has a path; of the whole body, that is the empty text."""
    if not _PLAIN_KEY.fullmatch(key):
        return f"{path}[{_quoted(key)}]"
    return f"{path}.{key}" if path else key


def in_brackets(name: str) -> str:
    """A name as it stands between the brackets of a path."""
    short = name if len(name) <= _LONGEST else f"{name[:_HEAD]}…{name[-_TAIL:]}"
    return short if _PLAIN_NAME.fullmatch(short) else _quoted(short)


class Steps:
    """How the elements of two states of a list are written in a path, with the brackets."""

    def __init__(self, pairing: Pairing) -> None:
        self._names = pairing.old_names, pairing.new_names
        self._written = _written(name for names in self._names for name in names if name)

    def before(self, index: int) -> str:
        """An element that is gone, by its index before."""
        return f"[{self._name(0, index) or f'was {index}'}]"

    def after(self, index: int) -> str:
        """An element that is there after, by its index after."""
        return f"[{self._name(1, index) or index}]"

    def _name(self, side: int, index: int) -> str:
        name = self._names[side][index]
        return self._written.get(name, "") if name else ""


def _written(names: Iterable[Name]) -> dict[Name, str]:
    """Names as a path has them; those that would be written alike are left out."""
    written = {name: in_brackets(name[1]) for name in names}
    counts = Counter(written.values())
    return {name: text for name, text in written.items() if counts[text] == 1}


def _quoted(text: str) -> str:
    """As JSON. What no UTF-8 has is written by its number."""
    return json.dumps(text, ensure_ascii=False).encode(errors="backslashreplace").decode()
