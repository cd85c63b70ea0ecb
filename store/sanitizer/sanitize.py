"""Text from outside (exceptions, log lines, Graph's answers) before it is stored or logged: no secret, no address, no escape.

Sanitizing happens once, here: secrets that are known by name or prefix (`secrets.py`), long random words (`randomness.py`),
then what is private. Patterns are linear in the length of the text, and the text is cut before they run.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from store.sanitizer.secrets import Rule

#: Nobody reads more of one message than this many characters, and patterns need not run over a megabyte.
MAX_INPUT: Final = 16_384

_LOCAL: Final = r"[\w.!#$%&'*+=^`{|}~-]"
#: Behind the @ of an image, an action or a package stands no machine: a digest, a commit, a version of up to three numbers.
_NO_MACHINE: Final = r"(?!(?:sha\d{1,3}|md5):|[0-9a-f]{40}(?![\w.-])|v?\d{1,4}(?:\.\d{1,4}){0,2}(?!\.?[\w-]))"


# Compiling the patterns takes longer than all else that a command does at its start, and most commands sanitize nothing: they
# are made at first use.


@functools.cache
def _secrets() -> tuple[Rule, ...]:
    """What is known for certain first: what it leaves is no random word."""
    from store.sanitizer.randomness import WORD, without_random
    from store.sanitizer.secrets import LOOSE, NAMED

    return (*NAMED, LOOSE, (WORD, without_random))


@functools.cache
def rules() -> tuple[Rule, ...]:
    """All patterns, with what takes the place of what they match, in the order in which they are used."""
    private: tuple[Rule, ...] = (
        (
            re.compile(
                rf"(?:(?<!{_LOCAL}){_LOCAL}+|\"[^\"]{{1,64}}\")(?:@|%40|&#64;){_NO_MACHINE}\[?[\w.-]+", re.IGNORECASE
            ),
            "[address]",
        ),
        # The query of a URL, of a path too, and what OData writes behind a blank: ?$filter=name eq 'x' and …
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


# The escape sequences whole (CSI, OSC and the other strings), so that their payload does not stay as text.
_ESCAPES: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)


def visible(text: str) -> str:
    """`text` on one line: escape sequences, control, format and bidirectional characters are gone.

    They leave no blank: they have no width, and a word that they go through is one word to whoever reads it.
    """
    text = _ESCAPES.sub("", text)
    if not text.isprintable():
        text = "".join(" " if char.isspace() else char for char in text if char.isspace() or char.isprintable())
    return " ".join(text.split())


def sanitize(text: str, limit: int) -> str:
    """One line of at most `limit` characters that is fit to be stored and shown."""
    text = _head(text)
    for pattern, replacement in rules():
        text = pattern.sub(replacement, text)
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def sanitize_value(name: str, text: str, limit: int) -> str:
    """The same for what is kept under a name: when that is the name of a secret, all of it goes."""
    from store.sanitizer.secrets import SECRET_NAME, STATE

    head = f": {visible(text[:MAX_INPUT])}"
    if len(head) > 2 and SECRET_NAME.search(visible(name)) and not STATE.match(head, 2):
        return "[secret]"
    return sanitize(text, limit)


def holds_secret(text: str) -> bool:
    """Whether `text` looks as if it held a token, key or password. Addresses and query strings are not secrets."""
    return _changed_by(_secrets(), visible(text))


def names_secret(text: str) -> bool:
    """Whether `text` holds a secret that is known by its name or by a service's prefix. A long random word is none, nor is what
    stands after a mere "key": it may be a digest, or what somebody calls a policy.
    """
    from store.sanitizer.secrets import NAMED

    return _changed_by(NAMED, visible(text))


def _changed_by(some: tuple[Rule, ...], text: str) -> bool:
    return any(pattern.sub(replacement, text) != text for pattern, replacement in some)


def _head(text: str) -> str:
    """What is visible of the beginning of a long text, without the word that the cut went through: half a token must not
    pass as a word.
    """
    if len(text) <= MAX_INPUT:
        return visible(text)
    return visible(text[:MAX_INPUT]).rpartition(" ")[0] + " …"
