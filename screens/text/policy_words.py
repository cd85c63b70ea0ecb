"""Words for the states of policies, with their glyphs, and for kinds. Pure functions."""

from __future__ import annotations

import datetime as dt
from typing import Final

from screens.text.format import State
from store.model.records import NO_TIME, UNREADABLE, Count

#: By the code of completeness in the store. What went well is quiet.
_COMPLETENESS: Final = {
    "whole": State("✓", "+", "whole", "quiet"),
    "secret_unreadable": State("◐", "~", "secret unreadable", "partial"),
    "reference_lost": State("◐", "~", "reference lost", "partial"),
    "assignments_unknown": State("✗", "x", "assignments unknown", "failed"),
    "content_missing": State("✗", "x", "content missing", "failed"),
}
#: Of a policy of which no version was read.
LIST_ONLY: Final = State("○", ".", "only listed", "accent")


def completeness(code: str | None) -> State:
    """The state for a code of completeness; None: no version was ever read."""
    if code is None:
        return LIST_ONLY
    return _COMPLETENESS.get(code, State("?", "?", code, "partial"))


def is_loud(code: str) -> bool:
    """Whether so much is missing that a person must know it at once."""
    return completeness(code).style == "failed"


def missing(since: dt.datetime) -> State:
    """The state of a policy that is gone since then."""
    return State("\N{EN DASH}", "-", f"missing since {day(since)}", "quiet")


def state(code: str | None, missing_since: dt.datetime | None) -> State:
    """The state of a policy: gone, or how complete its newest version is."""
    return completeness(code) if missing_since is None else missing(missing_since)


def with_glyph(one: State, ascii_only: bool) -> str:
    """The state's glyph and word."""
    return f"{one.ascii if ascii_only else one.glyph} {one.word}"


def day(then: dt.datetime) -> str:
    """The day in UTC, as `2026-03-01`."""
    return UNREADABLE if then == NO_TIME else f"{then.astimezone(dt.UTC):%Y-%m-%d}"


def capitalised(label: str) -> str:
    """The label with its first letter as a capital: `iOS` stays what it is elsewhere in it."""
    return label[:1].upper() + label[1:]


def several(many: Count, one: str, more: str, number: str) -> str:
    """`1 policy`, `12 policies`: `number` is `many` as it is written."""
    return f"{number} {one if many == Count(1) else more}"
