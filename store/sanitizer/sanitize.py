"""Sanitizes text from outside (exceptions, log lines, Graph's responses) before it is stored or logged.

In this order it replaces secrets recognized by a name or prefix (`secrets.py`), long random words (`randomness.py`), and private
data such as addresses. Patterns take time linear in the length of the text, and the text is cut before they run.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from store.sanitizer.secrets import Rule

#: The number of characters of a text that are processed: nobody reads more, and patterns should not run over a megabyte.
MAX_INPUT: Final = 16_384

_LOCAL: Final = r"[\w.!#$%&'*+=^`{|}~-]"
#: After an @, no host but a digest, a commit or a version of up to three numbers: of an image, an action or a package.
_NO_MACHINE: Final = r"(?!(?:sha\d{1,3}|md5):|[0-9a-f]{40}(?![\w.-])|v?\d{1,4}(?:\.\d{1,4}){0,2}(?!\.?[\w-]))"


# Patterns are compiled at first use: that takes longer than anything else in the start of a command, and most commands sanitize
# nothing.


@functools.cache
def _secrets() -> tuple[Rule, ...]:
    """The rules for secrets. Certain ones come first, so that their replacements are not tested for randomness."""
    from store.sanitizer.randomness import WORD, without_random
    from store.sanitizer.secrets import LOOSE, NAMED

    return (*NAMED, LOOSE, (WORD, without_random))


@functools.cache
def rules() -> tuple[Rule, ...]:
    """All rules (pattern, replacement), in the order of their application."""
    private: tuple[Rule, ...] = (
        (
            re.compile(
                rf"(?:(?<!{_LOCAL}){_LOCAL}+|\"[^\"]{{1,64}}\")(?:@|%40|&#64;){_NO_MACHINE}\[?[\w.-]+", re.IGNORECASE
            ),
            "[address]",
        ),
        # The query of a URL or path, with OData's expressions after a space: ?$filter=name eq 'x' and …
        (
            re.compile(
                r"(?<=[\w/.=\])-])(?:\?|%3f|#(?=[^\s=]{1,60}=))(?=[^\s\"'<>)\]])\S+"
                r"(?: (?:eq|ne|gt|ge|lt|le|and|or|not|in|asc|desc) (?:'[^']*'?|\S+)\S*)*",
                re.IGNORECASE,
            ),
            "",
        ),
        (re.compile(r"([?&])[\w$.%-]{1,60}=[^\s&]*"), r"\1"),
    )
    return _secrets() + private


# Whole escape sequences (CSI, OSC and other strings), so that their payload does not remain as text.
_ESCAPES: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)


def visible(text: str) -> str:
    """`text` on one line, without escape sequences and control, format and bidirectional characters.

    These are removed without leaving a space: they have no width, so that a word which contains them reads as one word.
    """
    text = _ESCAPES.sub("", text)
    if not text.isprintable():
        text = "".join(" " if char.isspace() else char for char in text if char.isspace() or char.isprintable())
    return " ".join(text.split())


def sanitize(text: str, limit: int) -> str:
    """Sanitize `text`: one line of at most `limit` characters, safe to store and to show."""
    text = _head(text)
    for pattern, replacement in rules():
        text = pattern.sub(replacement, text)
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def sanitize_value(name: str, text: str, limit: int) -> str:
    """Sanitize the value of a name. If the name is one of a secret, the whole value becomes `[secret]`."""
    from store.sanitizer.secrets import SECRET_NAME, STATE

    head = f": {visible(text[:MAX_INPUT])}"
    if len(head) > 2 and SECRET_NAME.search(visible(name)) and not STATE.match(head, 2):
        return "[secret]"
    return sanitize(text, limit)


def holds_secret(text: str) -> bool:
    """Whether `text` seems to contain a token, key or password. Addresses and query strings are not secrets."""
    return _changed_by(_secrets(), visible(text))


def names_secret(text: str) -> bool:
    """Whether `text` contains a secret recognized by its name or by a service's prefix.

    A long random word, or a value after a mere "key", does not count: it may be a digest, or the name of a policy.
    """
    from store.sanitizer.secrets import NAMED

    return _changed_by(NAMED, visible(text))


def _changed_by(some: tuple[Rule, ...], text: str) -> bool:
    return any(pattern.sub(replacement, text) != text for pattern, replacement in some)


def _head(text: str) -> str:
    """The visible beginning of a long text, without the word at the cut: half a token would not be recognized."""
    if len(text) <= MAX_INPUT:
        return visible(text)
    return visible(text[:MAX_INPUT]).rpartition(" ")[0] + " …"
