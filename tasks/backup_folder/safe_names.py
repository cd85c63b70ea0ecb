"""Names of files for objects: every file system takes them, and two objects of a kind never share one."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Final

#: ASCII alone: file systems differ in how they write other letters (composed or not), which of them they take as equal,
#: and some count bytes.
_OTHERS: Final = re.compile(r"[^A-Za-z0-9_-]+")
_LONGEST_NAME: Final = 60
_LONGEST_ID: Final = 40
#: An id that is its own file name: GUIDs, numbers. Without capitals, since not every file system tells them apart; without
#: `_`, which separates it from the name; and not like the hash that stands for another id.
_PLAIN: Final = re.compile(r"(?!h[0-9a-f]{16}\Z)[a-z0-9-]{1,40}")


def safe_name(name: str, id_: str) -> str:
    """The name of an object's file, without its extension: `<part of the name>_<id>`, at most 119 letters of ASCII.

    An id that is not plain (see `_PLAIN`) is followed by `_` and its hash. So names of two ids differ, even where capitals
    are not told apart. There always is a `_` inside: none is a device of Windows (CON, COM1), or begins or ends with a
    blank or a dot.
    """
    return f"{_safe(name, _LONGEST_NAME) or 'unnamed'}_{_safe_id(id_)}"


def _safe_id(id_: str) -> str:
    if _PLAIN.fullmatch(id_):
        return id_
    hash_ = f"h{hashlib.sha256(id_.encode(errors='surrogatepass')).hexdigest()[:16]}"
    part = _safe(id_, _LONGEST_ID)
    return f"{part}_{hash_}" if part else hash_


def _safe(text: str, longest: int) -> str:
    """The text without accents, all else that is not safe as `-`, and cut."""
    # Cut first, too: a name may be very long, and one letter becomes up to 18.
    plain = unicodedata.normalize("NFKD", text[: longest * 2])
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return _OTHERS.sub("-", plain).strip("-")[:longest].strip("-")
