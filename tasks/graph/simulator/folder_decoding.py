"""Reads a file of exported JSON as people have it: PowerShell writes UTF-16 or a BOM, and hands add comments."""

from __future__ import annotations

import codecs
import json
import math
import re
from pathlib import Path
from typing import Any, Final, NoReturn

#: What the first bytes say of the encoding; without one of them a file is UTF-8.
_BOMS: Final = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_STRING: Final = r'"[^"\\]*(?:\\.[^"\\]*)*"'
_COMMENTS: Final = re.compile(rf"{_STRING}|//[^\n]*|/\*.*?\*/", re.DOTALL)
_TRAILING_COMMAS: Final = re.compile(rf"{_STRING}|,(?=\s*[}}\]])", re.DOTALL)
#: The deepest nesting that is read. Real policies stay below 40; much deeper ones cannot be copied or served.
DEEPEST: Final = 200


class UnreadableError(Exception):
    """A file cannot be read as JSON. The text says why, in a few words."""


def read_json(path: Path) -> Any:
    """The JSON that a file holds. Raises UnreadableError."""
    if not path.is_file():  # a pipe would block, a link may lead nowhere
        raise UnreadableError("not a file")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UnreadableError(f"cannot be opened ({error.strerror})") from None
    return parse(decode(data))


def decode(data: bytes) -> str:
    """The text of a file, by its BOM. Raises UnreadableError."""
    bom, encoding = next(((bom, name) for bom, name in _BOMS if data.startswith(bom)), (b"", "utf-8"))
    try:
        return data[len(bom) :].decode(encoding)
    except UnicodeDecodeError:
        raise UnreadableError(f"not {encoding.upper()} text") from None


def parse(text: str) -> Any:
    """The JSON in a text; comments and trailing commas are passed over. Raises UnreadableError."""
    if not text.strip():
        raise UnreadableError("empty")
    try:
        try:
            loaded = _loads(text)
        except ValueError:
            loaded = _loads(_without_extras(text))
    except json.JSONDecodeError as error:
        raise UnreadableError(f"not JSON at line {error.lineno}") from None
    except ValueError:
        raise UnreadableError("a number that is none or too large") from None
    except RecursionError:
        raise UnreadableError("nested too deeply") from None
    if _deeper_than(loaded, DEEPEST):
        raise UnreadableError("nested too deeply")
    return loaded


def _loads(text: str) -> Any:
    return json.loads(text, parse_constant=_refuse, parse_float=_finite)


def _refuse(constant: str) -> NoReturn:
    # NaN and Infinity: Python reads them, and no client could read them from the simulator.
    raise ValueError(constant)


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse(text)


def _without_extras(text: str) -> str:
    return _TRAILING_COMMAS.sub(_kept, _COMMENTS.sub(_kept, text))


def _kept(found: re.Match[str]) -> str:
    """A string as it is; of anything else the line ends, so that line numbers stay."""
    return found[0] if found[0].startswith('"') else " " + "\n" * found[0].count("\n")


def _deeper_than(value: Any, deepest: int) -> bool:
    level = [value]
    for _ in range(deepest):
        level = [part for item in level for part in _parts(item)]
        if not level:
            return False
    return True


def _parts(item: Any) -> list[Any]:
    found = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
    return [part for part in found if isinstance(part, dict | list)]
