"""Where an operation's exception came from, as lines for the run's log: file, line and function of each frame.

Neither values nor source lines nor messages are kept: these may hold what must not be stored. The texts that are kept come from
code, perhaps a plug-in's, and are sanitized as all others.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator
from types import TracebackType
from typing import Final

from store.runs.log import MAX_FRAMES
from store.sanitizer.sanitize import sanitize

#: Frames of one exception, of which the outermost are the way there: of more, the middle is left out.
MOST: Final = 20
OUTERMOST: Final = 3
#: Exceptions that are told of: the one that was raised, what it was raised from, and members of groups.
MOST_ERRORS: Final = 3
#: Characters of a line, and parts of a path.
LONGEST: Final = 200
_PARTS: Final = 4


def lines_of(error: BaseException) -> list[str]:
    """The lines about an exception that a caller in this package caught: its type and frames, the innermost last, then those of
    its causes and of the members of its group. At most MAX_FRAMES lines of LONGEST characters.
    """
    found: list[str] = []
    for number, (how, one) in enumerate(_related(error)):
        # The first frame is the caller's own.
        traceback = one.__traceback__.tb_next if number == 0 and one.__traceback__ else one.__traceback__
        found.append(f"{how}{type(one).__name__}, raised in")
        found += _frames(traceback)
    return [sanitize(line, LONGEST) for line in found[:MAX_FRAMES]]


def _related(error: BaseException) -> Iterator[tuple[str, BaseException]]:
    """The error, then those that led to it, nearest first, each once and with words for how; at most MOST_ERRORS."""
    seen, waiting = set[int](), deque([("", error)])
    while waiting and len(seen) < MOST_ERRORS:
        how, one = waiting.popleft()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield how, one
        if isinstance(one, BaseExceptionGroup):
            waiting.extend(("one of its group: ", member) for member in one.exceptions[:MOST_ERRORS])
        cause = one.__cause__
        if cause is None and not one.__suppress_context__:
            cause = one.__context__
        if cause is not None:
            waiting.append(("because of ", cause))


def _frames(traceback: TracebackType | None) -> list[str]:
    first, last, number = list[str](), deque[TracebackType](maxlen=MOST - OUTERMOST), 0
    while traceback is not None:
        if number < OUTERMOST:
            first.append(_line(traceback))
        else:
            last.append(traceback)
        number += 1
        traceback = traceback.tb_next
    left_out = number - len(first) - len(last)
    if left_out:
        last.popleft()  # the line about them takes its place
        first.append(f"({left_out + 1} frames are left out)")
    return [*first, *map(_line, last)]


def _line(traceback: TracebackType) -> str:
    code = traceback.tb_frame.f_code
    return f"{_short(code.co_filename)}:{traceback.tb_lineno} {code.co_name[:LONGEST]}"


def _short(path: str) -> str:
    """The path from its package on, as `tasks/operations/probe.py`: never a whole one, which may name somebody's home."""
    path = path[:4096]
    if "/" not in path:
        return path[-LONGEST // 2 :]
    roots = [root.rstrip("/") + "/" for root in sys.path if len(root) > 1]
    inside = [path[len(root) :] for root in roots if path.startswith(root)]
    if not inside:
        return path.rpartition("/")[2][-LONGEST // 2 :]
    return "/".join(min(inside, key=len).split("/")[-_PARTS:])[-LONGEST // 2 :]
