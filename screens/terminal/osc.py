"""Sequences that make the terminal itself do something: its clipboard, its notifications, its title.

Each is made from text that was cleaned here, so that nothing in it ends the sequence early. `environment` is what the process was
started with: between the program and the terminal there may be tmux or GNU screen, which swallow what they do not know unless
it is wrapped for them.

tmux, by its manual: a plain OSC 52 is taken only where set-clipboard is "on" (the default, "external", ignores applications);
a wrapped one reaches the terminal only where allow-passthrough is on. Either may be set, and setting a clipboard twice to the
same changes nothing, so a copy is sent both ways. Notifications are only wrapped, or they would come twice. Bell and title are
tmux's and screen's own business (monitor-bell, set-titles): never wrapped.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from typing import Final, Literal

from screens.text.safe import clean

#: Bytes of UTF-8 that a copy may have: in base64, with what is around it, 100,000 bytes, the most that several terminals take.
MOST_COPIED: Final = 74_994
#: Characters of a title or a body. What is longer is cut: terminals drop sequences that are too long for them.
MOST_SAID: Final = 250
#: Bytes that GNU screen takes in one pass-through.
_SCREEN_CHUNK: Final = 250

Kind = Literal["bell", "osc9", "osc777", "osc99"]

PUSH_TITLE: Final = "\x1b[22;0t"
POP_TITLE: Final = "\x1b[23;0t"


def clipboard(text: str, environment: Mapping[str, str]) -> str | None:
    """The sequence that puts `text` on the terminal's clipboard; None when it has more than MOST_COPIED bytes.

    Lines stay lines; any other control character becomes a sign, lest it be obeyed where the text is pasted.
    """
    data = "\n".join(clean(line) for line in text.split("\n")).encode()
    if len(data) > MOST_COPIED:
        return None
    sequence = f"\x1b]52;c;{base64.b64encode(data).decode()}\x07"
    return sequence + wrapped(sequence, environment) if _in_tmux(environment) else wrapped(sequence, environment)


def notification(kind: Kind, title: str, body: str, environment: Mapping[str, str]) -> str:
    """The sequence for a notification of the desktop, or the bell.

    osc9 (iTerm2, Windows Terminal, Ghostty) knows one text, osc777 (urxvt, foot, VTE) title and body, osc99 (kitty) both in
    two sequences that have one id.
    """
    title, body = _field(title), _field(body)
    if kind == "bell":
        return "\x07"
    if kind == "osc9":
        # A number at the beginning is a command of ConEmu's (9;4 is a progress bar): a word must come first.
        words = ": ".join(filter(None, (title, body)))
        return wrapped(f"\x1b]9;{words if not words[:1].isdigit() else f' {words}'}\x07", environment)
    if kind == "osc777":
        return wrapped(f"\x1b]777;notify;{title};{body}\x07", environment)
    name = f"opsmon-{zlib.crc32(f'{title};{body}'.encode()):08x}"
    first = wrapped(f"\x1b]99;i={name}:d=0;{title}\x07", environment)
    return first + wrapped(f"\x1b]99;i={name}:d=1:p=body;{body}\x07", environment)


def title(text: str) -> str:
    """The sequence for the window's title. Between PUSH_TITLE and POP_TITLE, the old one comes back."""
    return f"\x1b]2;{clean(text)[:MOST_SAID]}\x07"


def wrapped(sequence: str, environment: Mapping[str, str]) -> str:
    """The sequence as tmux or GNU screen hand it on to the terminal; as it is where there is neither."""
    if _in_tmux(environment):
        return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    if environment.get("STY"):
        return "".join(f"\x1bP{chunk}\x1b\\" for chunk in _chunks(sequence))
    return sequence


def _in_tmux(environment: Mapping[str, str]) -> bool:
    return bool(environment.get("TMUX"))


def _chunks(sequence: str) -> list[str]:
    """Pieces of at most _SCREEN_CHUNK bytes, none of which cuts a character."""
    chunks, size = [""], 0
    for char in sequence:
        size += len(char.encode())
        if size > _SCREEN_CHUNK:
            chunks.append("")
            size = len(char.encode())
        chunks[-1] += char
    return chunks


def _field(text: str) -> str:
    """Text for one of several fields, which semicolons divide."""
    return clean(text)[:MOST_SAID].replace(";", ",")
