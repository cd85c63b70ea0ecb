"""Records docs/pictures/tour.cast, a minute of the demo (asciinema v2): `.venv/bin/python docs/recording.py`.

`asciinema play docs/pictures/tour.cast` shows it. Login, host and home of whoever records it are not in it: the demo runs as
LOGIN, on a host that calls itself HOST, with an empty home.
"""

from __future__ import annotations

import codecs
import getpass
import json
import os
import re
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import pexpect

ROOT: Final = Path(__file__).parent.parent
CAST: Final = ROOT / "docs" / "pictures" / "tour.cast"
LOGIN: Final = "dana"
HOST: Final = "demo"
COLUMNS, LINES = 100, 30
#: Seconds in which nothing happens, at most.
IDLE: Final = 2.0
#: Seconds until the screens are there, and between two typed letters.
START, LETTER = 20.0, 0.12

ENTER, ESCAPE, TAB, DOWN = "\r", "\x1b", "\t", "\x1b[B"
#: The tour: what is typed (a text letter by letter, a tuple key by key), and seconds to look at what comes of it.
TOUR: Final[tuple[tuple[str | tuple[str, ...], float], ...]] = (
    ("", 6.0),  # the list, in which runs start and move
    ("jjj", 2.0),
    ((ENTER,), 4.0),  # a run: timeline, log
    ((ESCAPE,), 1.5),
    ("/outcome:fa", 1.5),  # the filter completes
    ((TAB, " "), 0.5),
    ("since:36h", 1.0),
    ((ENTER,), 3.0),
    ((ESCAPE,), 2.0),
    ("t", 1.5),  # a tenant
    ((DOWN, ENTER), 1.5),
    ("s", 1.5),  # a start: the form of the operation
    ("prob", 1.0),
    ((ENTER,), 2.5),
    ((ENTER,), 4.0),
    ("v", 4.0),  # the run that was started
    ((ESCAPE,), 1.5),
    ("X", 2.5),  # restores
    ((ENTER,), 4.0),  # one that waits for a person
    ((ESCAPE,), 1.0),
    ((ESCAPE,), 1.0),
    ("?", 4.0),
    ((ESCAPE,), 1.0),
    ("w", 8.0),  # workers and queue: one was killed, and what it had is rescued
    ((ESCAPE,), 2.0),
    ("q", 0.0),
)

#: Seconds since the beginning, and what was sent to the terminal then.
Event = tuple[float, str]


def record() -> list[Event]:
    """Run the demo in a terminal, type the tour, and return all that was shown. Raises pexpect.TIMEOUT if it does not come up."""
    with tempfile.TemporaryDirectory() as home:
        # Every process of the demo, workers too, calls its host so.
        Path(home, "sitecustomize.py").write_text(f"import socket\nsocket.gethostname = lambda: {HOST!r}\n")
        terminal = pexpect.spawn(
            sys.executable,
            ["-m", "opsmon", "--as", LOGIN, "demo"],
            env=_environment(home),
            cwd=str(ROOT),
            dimensions=(LINES, COLUMNS),
        )
        try:
            return list(_played(terminal))
        finally:
            terminal.close(force=True)


def _environment(home: str) -> dict[str, str]:
    plain = {"PATH": os.defpath, "LANG": "C.UTF-8", "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    return plain | {"HOME": home, "TMPDIR": "/tmp", "PYTHONPATH": f"{home}:{ROOT}"}  # noqa: S108 (the path is short)


def _played(terminal: pexpect.spawn) -> Iterator[Event]:
    decoder = codecs.getincrementaldecoder("utf-8")()
    begin = time.monotonic()

    def shown(seconds: float) -> Iterator[Event]:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            try:
                data = terminal.read_nonblocking(65536, timeout=left)
            except pexpect.TIMEOUT:
                return
            if text := decoder.decode(data):
                yield time.monotonic() - begin, text

    yield from _until_there(shown)
    for typed, seconds in TOUR:
        for key in typed:
            terminal.send(key)
            yield from shown(LETTER)
        yield from shown(seconds)
    try:
        yield from shown(START)
    except pexpect.EOF:
        return


def _until_there(shown: Callable[[float], Iterator[Event]]) -> Iterator[Event]:
    seen = ""
    for _ in range(round(START / 0.1)):
        for event in shown(0.1):
            seen += event[1]
            yield event
        if "Sync inventory" in seen:
            return
    raise pexpect.TIMEOUT("the demo did not come up")


def squeezed(events: Iterable[Event], idle: float = IDLE) -> list[Event]:
    """The events from 0 on, with pauses of at most `idle` seconds."""
    found: list[Event] = []
    last = clock = 0.0
    for at, text in events:
        clock += min(at - last, idle) if found else 0.0
        last = at
        found.append((clock, text))
    return found


def as_cast(events: Sequence[Event]) -> str:
    """The text of a recording: a header, and an event a line."""
    header = {
        "version": 2,
        "width": COLUMNS,
        "height": LINES,
        "idle_time_limit": IDLE,
        "title": "opsmon demo",
        "env": {"TERM": "xterm-256color"},
    }
    lines = [header, *([round(at, 3), "o", text] for at, text in events)]
    return "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)


def leaks(text: str) -> list[str]:
    """What of this machine and of its user stands in the text: login, name of the host, home."""
    host = socket.gethostname()
    words = {getpass.getuser(), host, host.split(".")[0], str(Path.home())} - {LOGIN, HOST, "", "/"}
    return sorted(word for word in words if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text))


def main() -> None:
    """Record the tour. Exits with a message if something of this machine is in it."""
    cast = as_cast(squeezed(record()))
    if found := leaks(cast):
        sys.exit(f"not kept: it shows {', '.join(found)}")
    CAST.write_text(cast, encoding="utf-8")


if __name__ == "__main__":
    main()
