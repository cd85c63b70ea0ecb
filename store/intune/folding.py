"""Names as they are searched for: without case, accents and punctuation, cut into words."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

#: Words of a name beyond this number, and characters of a word beyond this number, are not searched.
MAX_WORDS: Final = 20
MAX_WORD: Final = 60
_BETWEEN: Final = re.compile(r"[\W_]+")


def fold(text: str) -> str:
    """`Köln-Süd` becomes `koln-sud`: without case and accents."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in apart if not unicodedata.combining(char)).casefold()


def words_of(text: str) -> list[str]:
    """The folded words of a name, each once, in their order. A name of signs alone is one word."""
    words = [word[:MAX_WORD] for word in _BETWEEN.split(fold(text)) if word] or [fold(text).strip()[:MAX_WORD]]
    return list(dict.fromkeys(word for word in words if word))[:MAX_WORDS]
