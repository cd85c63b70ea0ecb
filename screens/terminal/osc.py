"""Escape sequences for the terminal's clipboard, notifications and window title.

All text is cleaned here, so that nothing in it ends a sequence early. `environment` is the process's environment: tmux
or GNU screen may sit between the program and the terminal, and they drop unknown sequences unless these are wrapped for
them.

tmux's manual: a plain OSC 52 works only with set-clipboard "on" (the default, "external", ignores applications); a
wrapped one reaches the terminal only with allow-passthrough on. Either may be set, and copying the same text twice is
harmless, so a copy is sent both ways. Notifications are only wrapped, as they would appear twice. Bell and title are
handled by tmux and screen themselves (monitor-bell, set-titles), and never wrapped.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from typing import Final, Literal

from screens.text.safe import clean

#: Maximum bytes of UTF-8 in a copy: as base64 in its sequence 100,000 bytes, the limit of several terminals.
MOST_COPIED: Final = 74_994
#: Maximum characters of a title or a body. Longer text is cut: terminals drop sequences that are too long.
MOST_SAID: Final = 250
#: Maximum bytes of one pass-through sequence in GNU screen.
_SCREEN_CHUNK: Final = 250

Kind = Literal["bell", "osc9", "osc777", "osc99"]

PUSH_TITLE: Final = "\x1b[22;0t"
POP_TITLE: Final = "\x1b[23;0t"


def clipboard(text: str, environment: Mapping[str, str]) -> str | None:
    """The sequence that puts `text` on the terminal's clipboard; None if it has more than MOST_COPIED bytes.

    Line breaks stay; other control characters become visible signs, so that they are not executed where the text is
    pasted.
    """
    data = "\n".join(clean(line) for line in text.split("\n")).encode()
    if len(data) > MOST_COPIED:
        return None
    sequence = f"\x1b]52;c;{base64.b64encode(data).decode()}\x07"
    return sequence + wrapped(sequence, environment) if _in_tmux(environment) else wrapped(sequence, environment)


def notification(kind: Kind, title: str, body: str, environment: Mapping[str, str]) -> str:
    """The sequence for a desktop notification, or for the bell.

    osc9 (iTerm2, Windows Terminal, Ghostty) has one text; osc777 (urxvt, foot, VTE) has title and body; osc99 (kitty)
    sends both in two sequences with the same id.
    """
    title, body = _field(title), _field(body)
    if kind == "bell":
        return "\x07"
    if kind == "osc9":
        # ConEmu takes a leading number for a command (9;4 is a progress bar), so a blank goes first.
        words = ": ".join(filter(None, (title, body)))
        return wrapped(f"\x1b]9;{words if not words[:1].isdigit() else f' {words}'}\x07", environment)
    if kind == "osc777":
        return wrapped(f"\x1b]777;notify;{title};{body}\x07", environment)
    name = f"opsmon-{zlib.crc32(f'{title};{body}'.encode()):08x}"
    first = wrapped(f"\x1b]99;i={name}:d=0;{title}\x07", environment)
    return first + wrapped(f"\x1b]99;i={name}:d=1:p=body;{body}\x07", environment)


def title(text: str) -> str:
    """The sequence that sets the window's title. PUSH_TITLE before and POP_TITLE after restore the old one."""
    return f"\x1b]2;{clean(text)[:MOST_SAID]}\x07"


def wrapped(sequence: str, environment: Mapping[str, str]) -> str:
    """The sequence wrapped for tmux or GNU screen to pass on to the terminal; unchanged outside of both."""
    if _in_tmux(environment):
        return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    if environment.get("STY"):
        return "".join(f"\x1bP{chunk}\x1b\\" for chunk in _chunks(sequence))
    return sequence


def _in_tmux(environment: Mapping[str, str]) -> bool:
    return bool(environment.get("TMUX"))


def _chunks(sequence: str) -> list[str]:
    """Pieces of at most _SCREEN_CHUNK bytes that split no character."""
    chunks, size = [""], 0
    for char in sequence:
        size += len(char.encode())
        if size > _SCREEN_CHUNK:
            chunks.append("")
            size = len(char.encode())
        chunks[-1] += char
    return chunks


def _field(text: str) -> str:
    """Text for one of several fields separated by semicolons."""
    return clean(text)[:MOST_SAID].replace(";", ",")
