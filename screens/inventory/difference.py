"""What changed from one version of a policy to the next, line by line. Pure functions; they may take a second."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from store.intune.browsed import Version

#: Lines of a version that are compared, and lines of a difference that are kept.
COMPARED: Final = 3_000
KEPT: Final = 1_000


@dataclass(frozen=True, slots=True)
class Difference:
    """The lines, each with its sign: `+` added, `-` removed, a blank for one that is in both, `@` for a gap."""

    lines: tuple[tuple[str, str], ...]
    added: int
    removed: int
    #: Whether more lines differ, or might, than are kept and compared.
    is_cut: bool = False


def difference(old: Version, new: Version) -> Difference:
    """Compares assignments, body and gaps as JSON with sorted keys, so that the order of keys is no change."""
    before, after = _text(old), _text(new)
    changes = list(_signed(before[:COMPARED], after[:COMPARED]))
    signs = [sign for sign, _ in changes]
    is_cut = len(changes) > KEPT or max(len(before), len(after)) > COMPARED
    return Difference(tuple(changes[:KEPT]), signs.count("+"), signs.count("-"), is_cut)


def _text(version: Version) -> list[str]:
    assignments = version.assignments
    document = {
        # The order of assignments means nothing.
        "assignments": None if assignments is None else sorted(assignments, key=_json),
        "body": version.body,
        "gaps": list(version.gaps),
    }
    return _json(document, indent=2).split("\n")


def _json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, indent=indent, sort_keys=True, ensure_ascii=False)


def _signed(before: list[str], after: list[str]) -> Iterator[tuple[str, str]]:
    # The first two lines name the files.
    for number, line in enumerate(difflib.unified_diff(before, after, lineterm="", n=3)):
        if line.startswith("@@") and number > 2:
            yield "@", ""
        elif number > 2:
            yield line[0], line[1:]
