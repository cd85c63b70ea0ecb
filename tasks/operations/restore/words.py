"""Names in the words of a restore."""

from __future__ import annotations

import json


def quoted(name: str) -> str:
    """A name in double quotes, on one line: blanks at its ends are seen, control characters are written by number."""
    return json.dumps(name, ensure_ascii=False).encode(errors="backslashreplace").decode()
