"""Names of kinds of policy, as people type them."""

from __future__ import annotations

from collections.abc import Iterable

from opsmon.cli.grammar import close_match
from store.errors import InputInvalid
from store.sanitizer.sanitize import visible
from tasks.graph.resources import BY_NAME


def known_kinds(given: Iterable[str], more: Iterable[str] = ()) -> tuple[str, ...]:
    """The kinds, if each is one of ours or of `more`. Raises InputInvalid, which suggests a similar name or names all."""
    found, known = tuple(given), [*BY_NAME, *more]
    for name in found:
        if name not in known:
            hint = close_match(name, known) or f"known are {', '.join(BY_NAME)}"
            raise InputInvalid(f"there is no kind of policy '{visible(name[:64])}'", hint)
    return found


def label(kind: str) -> str:
    """The kind's name for people; the internal one of a kind that this version does not know."""
    return BY_NAME[kind].label if kind in BY_NAME else kind
