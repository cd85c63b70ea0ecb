"""Text from outside (exceptions, log lines, Graph's answers) before it is stored or logged: no secret, no address, no escape.

Sanitizing happens once, here. Patterns are permissive on purpose: a word too many that is replaced costs nothing, a token
that is kept costs a tenant. Hence they do not ask what stands before them: what is cut off there, or glued on, is not known.
All patterns are linear in the length of the text (nothing that repeats without a bound can be entered at every place of
a long run), and the text is cut before they run.
"""

from __future__ import annotations

import re
from typing import Final

#: Nobody reads more of one message than this many characters, and patterns need not run over a megabyte.
MAX_INPUT: Final = 16_384

#: What a secret is called, or what its name ends in: CLIENT_SECRET, clientSecret, Account Key, db_password, secretText.
_NAME: Final = (
    r"((?:secret|pass(?:word|wd|phrase|code)?|pwd|token|assertion|credential|signature|sig|sas|otp|auth|authorization|cookie"
    r"|(?:api|access|account|private|secret|subscription|functions?|master|host|storage|encryption|signing)[_ -]?key"
    r"|(?:device|user)[_ -]?code|code[_ -]?verifier|session[_ -]?id)(?:[_ -]?(?:text|value|string|s|\d{1,3}))?)"
)
_QUOTE: Final = r"(?:\\{0,8}[\"']|&quot;|&#3[49];)"
#: From name to value: name=value, "name": "value", \"name\":\"value\", env['name'] = 'value', ('name', 'value'), name%3Dvalue,
#: <name>value, "name" value="value", name 'value', and YAML's name: |.
_IS: Final = (
    rf"(?:(?:{_QUOTE}\]?)? ?(?:=>|:=|->|[=:>]|%(?:25){{0,3}}3[ad]) ?(?:[|>][+-]? )?"
    rf"|{_QUOTE} ?, ?|{_QUOTE} value ?= ?| (?=[\"']))"
)
#: A quoted value goes whole, blanks and all, and so does one in a connection string or between tags.
_VALUE: Final = (
    r"(?:[bru]{0,2}\\{0,8}\"(?:[^\"\\]|\\.|\"\")*\"?|[bru]{0,2}\\{0,8}'(?:[^'\\]|\\.|'')*'?"
    r"|(?:(?<==)|(?<== ))[^;]{1,200}?(?=[;\"…])|(?:(?<=>)|(?<=> ))[^<]{1,200}?(?=[<…])|(?:&quot;|&#3[49];)?[^\s;]+)"
)
_ID: Final = r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"
_PATH: Final = rf"(?:[A-Za-z]{{2,40}}|\d{{1,2}})?(?:/(?:[A-Za-z]{{2,40}}|{_ID}|\d{{1,10}}))+/?"
#: One character of a long random word, in Base64 of either alphabet, JSON or a URL.
_RANDOM: Final = r"[A-Za-z0-9+/_%\\-]"

_SECRETS: Final = (
    (re.compile(r"-{4,5} ?BEGIN [A-Z0-9 ]{0,40}-{4,5}.*?(?:-{4,5} ?END [A-Z0-9 ]{0,40}-{4,5}|\Z)"), "[key]"),
    (
        re.compile(
            r"(?:bearer|basic|digest|negotiate)(?:%20|[ +=:\"'\\,]){1,6}(?:[a-z][a-z_]{0,20}[ =:]{1,3})?[\w~+/.=:%-]{6,}",
            re.IGNORECASE,
        ),
        "[token]",
    ),
    # JSON in Base64, with what follows behind dots
    (
        re.compile(
            r"(?<![A-Za-z0-9])(?:ey[JI][\w+/=%-]{4,}(?:\.[\w+/=%-]*){0,4}|ew[og][\w+/=-]{8,}(?:\.[\w+/=-]+){1,4})"
        ),
        "[token]",
    ),
    # user:password@ in URLs and connection strings; a password may hold any of / @ :
    (re.compile(r"://(?:[^\s/@:]{0,256}:\S{0,1000}|[^\s/@]{1,256})@"), "://[credentials]@"),
    (re.compile(r"(authorization)[\"']? ?[:=] ?[\"']?[\w-]{1,40} [^\s,;]+", re.IGNORECASE), r"\1=[secret]"),
    (re.compile(r"(cookie)[\"']? ?[:=] ?[\"']?(?:[^\s;=]{1,100}=[^\s;]*(?:; ?)?)+", re.IGNORECASE), r"\1=[secret]"),
    (re.compile(rf"((?<![\w-])--[\w-]{{0,30}}){_NAME} [^\s;]+", re.IGNORECASE), r"\1\2=[secret]"),
    (re.compile(_NAME + _IS + _VALUE, re.IGNORECASE), r"\1=[secret]"),
    # Entra client secrets (xxx8Q~…) and keys of well-known services
    (re.compile(r"[\w.~-]{0,3}\dQ(?:~|%7e)[\w.~%-]{2,}", re.IGNORECASE), "[secret]"),
    (re.compile(r"(?:gh[pousr]_|github_pat_|xox[abprs]-|AKIA|ASIA|AIza|glpat-|npg_)[\w-]{8,}"), "[secret]"),
    (re.compile(r"(?<![A-Za-z0-9])sk-[\w-]{8,}"), "[secret]"),
    # Long random words, but no ids and no paths of words, numbers and ids
    (
        re.compile(
            rf"(?<!{_RANDOM})(?!(?:{_ID}|{_PATH})(?!{_RANDOM}))"
            rf"(?={_RANDOM}*\d)(?={_RANDOM}*[A-Z])(?={_RANDOM}*[a-z]){_RANDOM}{{32,}}={{0,2}}"
        ),
        "[secret]",
    ),
)
_LOCAL: Final = r"[\w.!#$%&'*+=^`{|}~-]"
_PRIVATE: Final = (
    (re.compile(rf"(?:(?<!{_LOCAL}){_LOCAL}+|\"[^\"]{{1,64}}\")(?:@|%40|&#64;)\[?[\w.-]+", re.IGNORECASE), "[address]"),
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
    for pattern, replacement in _SECRETS + _PRIVATE:
        text = pattern.sub(replacement, text)
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def holds_secret(text: str) -> bool:
    """Whether `text` looks as if it held a token, key or password. Addresses and query strings are not secrets."""
    text = visible(text)
    return any(pattern.search(text) for pattern, _ in _SECRETS)


def _head(text: str) -> str:
    """What is visible of the beginning of a long text, without the word that the cut went through: half a token must not
    pass as a word.
    """
    if len(text) <= MAX_INPUT:
        return visible(text)
    return visible(text[:MAX_INPUT]).rpartition(" ")[0] + " …"
