"""Cell styles as SGR parameters in canonical order, and the shortest sequence from one style to another.

A style is a string: SGR parameters in a fixed order, then, after a NUL, the hyperlink (OSC 8) if there is one. Strings
are fast to compare and hash; what is derived from them is cached.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

#: The terminal's style after a reset.
DEFAULT: Final = ""
#: The parameter that ends each attribute. 22 ends both bold and dim, 24 every kind of underline.
_ENDS: Final = {
    "1": "22", "2": "22", "3": "23", "4": "24", "21": "24", "5": "25", "6": "25", "7": "27", "8": "28", "9": "29",
    "51": "54", "52": "54", "53": "55",
}  # fmt: skip
#: Attributes that are invisible on a blank.
_UNSEEN_ON_BLANKS: Final = frozenset({"1", "2", "3", "5", "6", "8"})
#: Colour parameters, and what each colours.
_LONG: Final = {"38": "front", "48": "back", "58": "line"}
_PLAIN_AGAIN: Final = {"39": "front", "49": "back", "59": "line"}
_COLOURS: Final = {
    **{str(front): "front" for front in (*range(30, 38), *range(90, 98))},
    **{str(back): "back" for back in (*range(40, 48), *range(100, 108))},
    **_LONG,
    **_PLAIN_AGAIN,
}
#: Number of parameters after 38, 48 or 58, by the colour space that comes first: 5 is indexed, 2 is RGB.
_LENGTHS: Final = {"5": 2, "2": 4}


class _Attributes(NamedTuple):
    attributes: frozenset[str] = frozenset()
    front: str = ""
    back: str = ""
    line: str = ""


@lru_cache(maxsize=4096)
def apply(style: str, parameters: str) -> str:
    """The style after `ESC [ parameters m`."""
    return _joined(_read(_look(style), parameters), _link(style))


def _read(look: _Attributes, parameters: str) -> _Attributes:
    words = parameters.split(";")
    while words:
        word = words.pop(0)
        if word in _LONG:
            length = _LENGTHS.get(words[0], 1) if words else 0
            look = _coloured(look, _LONG[word], ";".join((word, *words[:length])))
            del words[:length]
        else:
            look = _one(look, word)
    return look


def _one(look: _Attributes, word: str) -> _Attributes:
    """The attributes after one parameter, which may have sub-parameters (4:3, 38:2::1:2:3)."""
    first = word.partition(":")[0].lstrip("0")
    if not first:
        return _Attributes()
    if first in _COLOURS:
        return _coloured(look, _COLOURS[first], "" if first in _PLAIN_AGAIN else word)
    ends = "24" if word == "4:0" else first
    if ends in _ENDS.values():
        return look._replace(attributes=frozenset(a for a in look.attributes if _end(a) != ends))
    others = {a for a in look.attributes if _end(a) != "24"} if _end(word) == "24" else look.attributes
    return look._replace(attributes=frozenset({*others, word}))


def _coloured(look: _Attributes, what: str, colour: str) -> _Attributes:
    if what == "front":
        return look._replace(front=colour)
    return look._replace(back=colour) if what == "back" else look._replace(line=colour)


def _end(attribute: str) -> str:
    return _ENDS.get(attribute.partition(":")[0], "")


@lru_cache(maxsize=4096)
def linked(style: str, link: str) -> str:
    """The style with the hyperlink `parameters;address` of OSC 8; an empty address removes it."""
    return _joined(_look(style), "" if link.endswith(";") and link.count(";") == 1 else link)


@lru_cache(maxsize=4096)
def blank(style: str) -> str:
    """The style without what is invisible on a blank. Two styles with the same result look the same there."""
    look = _look(style)
    if look.attributes - _UNSEEN_ON_BLANKS:
        return style
    return _joined(_Attributes(back=look.back), _link(style))


@lru_cache(maxsize=16384)
def delta(before: str | None, after: str) -> str:
    """The sequence that changes the terminal's style from `before` to `after`; `before` is None if unknown."""
    old, new = _link(before or DEFAULT), _link(after)
    sent = "" if old == new else f"\x1b]8;{new or ';'}\x1b\\"
    parameters = after.partition("\0")[0]
    whole = f"\x1b[0;{parameters}m" if parameters else "\x1b[m"
    if before is None:
        return sent + whole
    step_by_step = _difference(_look(before), _look(after))
    if step_by_step is None or len(step_by_step) > len(whole):
        return sent + whole
    return sent + step_by_step


def _difference(before: _Attributes, after: _Attributes) -> str | None:
    """The SGR sequence that changes only what differs; None if only a reset can."""
    ends = {_end(gone) for gone in before.attributes - after.attributes}
    if "" in ends:
        return None
    begins = {a for a in after.attributes if a not in before.attributes or _end(a) in ends}
    colours = [
        new or plain for old, new, plain in zip(before[1:], after[1:], ("39", "49", "59"), strict=True) if old != new
    ]
    words = [*sorted(ends), *sorted(begins), *colours]
    return f"\x1b[{';'.join(words)}m" if words else ""


@lru_cache(maxsize=4096)
def _look(style: str) -> _Attributes:
    parameters = style.partition("\0")[0]
    return _read(_Attributes(), parameters) if parameters else _Attributes()


def _link(style: str) -> str:
    return style.partition("\0")[2]


def _joined(look: _Attributes, link: str) -> str:
    parameters = ";".join((*sorted(look.attributes), *filter(None, look[1:])))
    return f"{parameters}\0{link}" if link else parameters
