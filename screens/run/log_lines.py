"""The timeline of the run's screen: what happened, what was logged, where an exception came from; and the search in it.

Pure functions of the data read.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from screens.run.parts import View, heading, text
from screens.text import format as fmt
from screens.text.json_tree import Path
from screens.text.safe import clean
from screens.text.timeline import Moment, timeline
from screens.widgets.line_view import Line
from screens.widgets.row_diff import Cell
from store.model.records import NO_TIME, UNREADABLE
from store.runs.detail import RunDetail
from store.runs.log import MAX_EVENTS, MAX_FRAMES

_LEVELS: Final = {"warning": "partial", "error": "failed", "debug": "quiet"}
#: Key of the timeline's last line, which stays in view while the timeline is followed.
END: Final = ("timeline", "end")
#: The first of the lines about an exception, and one of its frames (tasks/worker/frames.py writes both).
_RAISED: Final = ", raised in"
_FRAME: Final = re.compile(r".+:\d+ \S+$")
_LEFT_OUT: Final = re.compile(r"\(\d+ frames are left out\)$")
#: Styles of what the search finds: elsewhere, and where it is.
_HIT: Final = "accent underline"
_HERE: Final = "accent underline reverse"


@dataclass(frozen=True, slots=True)
class _Part:
    """A moment, or the lines about an exception under one heading, which can be folded."""

    moments: tuple[Moment, ...]
    #: None for a single moment.
    target: Path | None = None

    @property
    def frames(self) -> int:
        """How many frames are told."""
        return sum(_FRAME.match(one.message) is not None for one in self.moments)


def log_lines(detail: RunDetail, view: View) -> Iterator[Line]:
    """The timeline as lines, what is searched for marked in them."""
    times, opened_at = view.times, detail.run.created_at
    yield from heading("timeline", f"Timeline ({times.zone(opened_at)})")
    found: list[Line] = []
    day, zone = times.there(opened_at).date(), times.zone(opened_at)
    for part in _parts(timeline(detail)):
        at = times.there(part.moments[0].at)
        if at != NO_TIME and (at.date(), times.zone(at)) != (day, zone):
            # Where clocks were put back an hour comes twice: only the offset tells one from the other.
            words_of_day = at.date().isoformat() + (f" {times.zone(at)}" if times.zone(at) != zone else "")
            day, zone = at.date(), times.zone(at)
            found.append(Line(("timeline", "day", day, zone), (Cell(words_of_day, "quiet"),)))
        found += _lines_of(part, detail, view)
    yield from found[:-1]
    # The last line, whichever it is, gets the key that is followed.
    yield Line(END, found[-1].cells, found[-1].target)


def fold_targets(detail: RunDetail) -> frozenset[Path]:
    """The targets of all that can be folded in the timeline. None is a path of the parameters: those begin with a name."""
    return frozenset(part.target for part in _parts(timeline(detail)) if part.target is not None)


def matches(detail: RunDetail, searched: str) -> tuple[Hashable, ...]:
    """The keys of the moments in whose words the text is, without case, in their order."""
    wanted = _pattern(searched)
    return tuple(one.key for one in timeline(detail) if wanted.search(clean(_words_of(one)))) if searched else ()


def line_key(moment: Hashable) -> Hashable:
    """The key of a moment's first line, unless it is the last one, whose key is END."""
    return ("timeline", moment), 0


def where(detail: RunDetail) -> str:
    """Which lines a search looks at, if these may not be all: ` in the newest 540 lines`."""
    most = MAX_EVENTS + MAX_FRAMES
    return f" in the newest {most} lines" if len(detail.events) >= most else ""


# ---- what belongs together


def _parts(moments: Sequence[Moment]) -> Iterator[_Part]:
    place = 0
    while place < len(moments):
        taken = list(itertools.takewhile(_is_of_exception, moments[place:])) if _is_raised(moments[place]) else []
        first = moments[place]
        if taken and isinstance(first.key, int):
            yield _Part(tuple(taken), (first.key,))
        else:
            yield _Part((first,))
        place += len(taken) or 1


def _is_raised(moment: Moment) -> bool:
    return moment.what == "log" and moment.level == "error" and moment.message.endswith(_RAISED)


def _is_of_exception(moment: Moment) -> bool:
    if moment.what != "log" or moment.level != "error":
        return False
    return any((_is_raised(moment), _FRAME.match(moment.message), _LEFT_OUT.match(moment.message)))


# ---- lines


def _lines_of(part: _Part, detail: RunDetail, view: View) -> Iterator[Line]:
    if part.target is None:
        yield from _lines_of_moment(part.moments[0], detail, view)
        return
    is_open = part.target in view.opened
    signs = ("+", "-") if view.ascii_only else ("▸", "▾")
    before = _time(part.moments[0], view)
    words = f"{signs[is_open]} Where it failed ({fmt.several(part.frames, 'frame')})"
    for line in text(("frames", *part.target), view, before, words, "failed", "quiet"):
        yield Line(line.key, line.cells, part.target)
    for moment in part.moments if is_open else ():
        indent = "  " if moment.message.endswith(_RAISED) else "    "
        yield from _marked(
            moment, text(("timeline", moment.key), view, " " * len(before) + indent, moment.message), view
        )


def _lines_of_moment(moment: Moment, detail: RunDetail, view: View) -> Iterator[Line]:
    is_end = moment.what == "completed"
    style = fmt.state_of(detail.run).style if is_end else _LEVELS.get(moment.level, "")
    found = text(("timeline", moment.key), view, _time(moment, view), _words_of(moment), style, "quiet")
    yield from _marked(moment, found, view)


def _time(moment: Moment, view: View) -> str:
    return f"{UNREADABLE:<10}" if moment.at == NO_TIME else view.times.there(moment.at).strftime("%H:%M:%S  ")


def _words_of(moment: Moment) -> str:
    return {
        "created": "opened",
        "started": f"started {moment.message}",
        "log": f"  {moment.message}",
        "completed": moment.message,
        "audit": moment.message,
    }.get(moment.what, moment.what)


# ---- the search


def _pattern(searched: str) -> re.Pattern[str]:
    return re.compile(re.escape(searched), re.IGNORECASE)


def _marked(moment: Moment, lines: Iterator[Line], view: View) -> Iterator[Line]:
    """The moment's lines, with what is searched for marked; where a line's end parts it, the whole lines are."""
    wanted = _pattern(view.search)
    if not view.search or not wanted.search(clean(_words_of(moment))):
        yield from lines
        return
    found, style = list(lines), _HERE if moment.key == view.found else _HIT
    is_parted = not any(wanted.search(line.cells[-1].text) for line in found)
    for line in found:
        *before, last = line.cells
        cells = [Cell(last.text, style)] if is_parted else _cut(last, wanted, style)
        yield Line(line.key, (*before, *cells), line.target)


def _cut(cell: Cell, wanted: re.Pattern[str], style: str) -> list[Cell]:
    cells, end = [], 0
    for hit in wanted.finditer(cell.text):
        cells += [Cell(cell.text[end : hit.start()], cell.style), Cell(hit.group(), style)]
        end = hit.end()
    cells.append(Cell(cell.text[end:], cell.style))
    return [one for one in cells if one.text]
