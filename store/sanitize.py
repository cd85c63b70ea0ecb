"""Text from outside (exceptions, log lines, Graph's answers) before it is stored or logged: no secret, no address, no escape.

Sanitizing happens once, here. Patterns are permissive on purpose: a word too many that is replaced costs nothing, a token
that is kept costs a tenant. All patterns are linear in the length of the text, and the text is cut before they run.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

#: Nobody reads more of one message than this many characters, and patterns need not run over a megabyte.
MAX_INPUT: Final = 16_384

_NAMES: Final = (
    r"(?:client[_-]?secret|client[_-]?assertion|secret|password|passwd|passphrase|pwd|pass|api[_-]?key|access[_-]?key|account[_-]?key"
    r"|shared[_-]?access[_-]?key|private[_-]?key|access[_-]?token|refresh[_-]?token|id[_-]?token|token|signature|sig|sas|auth"
    r"|authorization|assertion|device[_-]?code|user[_-]?code|code[_-]?verifier|cookie|session[_-]?id|credential)"
)
_SECRETS: Final = (
    (re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}-----.*?(?:-----END [A-Z0-9 ]{0,40}-----|\Z)", re.DOTALL), "[key]"),
    (
        re.compile(
            r"\b(?:bearer|basic|digest|negotiate)\s+(?:[A-Za-z][A-Za-z_]{0,20}[ =:]+)?[\w~+/.=:-]{6,}", re.IGNORECASE
        ),
        "[token]",
    ),
    (re.compile(r"\bey[JI][\w+/=-]{4,}(?:\.[\w+/=-]*){0,4}"), "[token]"),
    # user:password@ in URLs and connection strings
    (re.compile(r"([a-z][a-z0-9+.-]{0,30}://)[^\s/@]*(?:/[^\s/@]*)?@", re.IGNORECASE), r"\1[credentials]@"),
    # name=value, "name": "value", name: value; a quoted value goes whole, blanks and all. Names may be written
    # CLIENT_SECRET, clientSecret, Account Key, db_password.
    (
        re.compile(
            r"(\b|_)([A-Za-z0-9]{0,30}[_ -]?"
            + _NAMES
            + r")(\\?[\"']?\s{0,3}(?:=>|[=:])\s{0,3}|\\?[\"']\s{0,3},\s{0,3})"
            r"(?:\\?\"(?:[^\"\\]|\\.)*\\?\"?|'(?:[^'\\]|\\.)*'?|[^\s,;&\"'<>}\])]+)",
            re.IGNORECASE,
        ),
        r"\1\2=[secret]",
    ),
    # Entra client secrets (xxx8Q~…), keys of well-known services, long random words
    (re.compile(r"[\w.~-]{3}\dQ~[\w.~-]{6,}"), "[secret]"),
    (re.compile(r"\b(?:gh[pousr]_|github_pat_|xox[abprs]-|sk-|AKIA|ASIA|AIza|glpat-|npg_)[\w-]{8,}"), "[secret]"),
    (re.compile(r"(?<![\w+/-])(?=[\w+/-]*\d)(?=[\w+/-]*[A-Z])(?=[\w+/-]*[a-z])[A-Za-z0-9+/_-]{32,}={0,2}"), "[secret]"),
)
_PRIVATE: Final = (
    (re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w.-]+", re.IGNORECASE), "[address]"),
    (re.compile(r"([a-z][a-z0-9+.-]{0,30}://[^\s?#\"'<>]*)[?#][^\s\"'<>]*", re.IGNORECASE), r"\1"),
    (re.compile(r"([?&])[\w$.%-]{1,60}=[^\s&\"'<>]*"), r"\1"),
)
# The escape sequences whole (CSI, OSC and the other strings), so that their payload does not stay as text.
_ESCAPES: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)


def visible(text: str) -> str:
    """`text` on one line: escape sequences, control, format and bidirectional characters are gone."""
    text = _ESCAPES.sub(" ", text)
    kept = (" " if char.isspace() or unicodedata.category(char) in _DROPPED else char for char in text)
    return " ".join("".join(kept).split())


_DROPPED: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def sanitize(text: str, limit: int) -> str:
    """One line of at most `limit` characters that is fit to be stored and shown."""
    text = visible(_head(text))
    for pattern, replacement in _SECRETS + _PRIVATE:
        text = pattern.sub(replacement, text)
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def holds_secret(text: str) -> bool:
    """Whether `text` looks as if it held a token, key or password. Addresses and query strings are not secrets."""
    text = visible(text)
    return any(pattern.search(text) for pattern, _ in _SECRETS)


def _head(text: str) -> str:
    """The beginning of a long text without the word that the cut went through: half a token must not pass as a word."""
    if len(text) <= MAX_INPUT:
        return text
    return text[:MAX_INPUT].rpartition(" ")[0] + " …"
