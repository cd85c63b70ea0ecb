"""Recognizes random words: keys and tokens in a sentence without a name or a known prefix.

Names that people choose seldom change between lower case, upper case and digits, and do so where a new word begins: `Windows11`,
`deviceManagementScripts`. Random words change at every second or third character, in hex, Base32 and Base64 alike. So changes
are counted. Ids, digests and other known words that look random are exempt.
"""

from __future__ import annotations

import itertools
import re
from typing import Final

_ID: Final = r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"
#: A character of a long word: of both Base64 alphabets, escaped JSON or a URL.
_CHAR: Final = r"[A-Za-z0-9+/_%\\-]"
#: GUIDs, and the publisher's hash in the name of a Microsoft Store package.
_KNOWN: Final = re.compile(rf"(?<![0-9A-Za-z]){_ID}(?![0-9A-Za-z])|_[0-9a-hj-km-np-tv-z]{{13}}(?![0-9A-Za-z])")
#: Terms in names that change like a key does: editions, versions, processors, the default names of Windows machines.
_TERMS: Final = re.compile(
    r"(?<![0-9])[12][0-9][hH][12](?![0-9])|(?<![0-9A-Za-z])[2-5]G(?![0-9A-Za-z])|[xX](?:64|86)(?![0-9])|[aA][rR][mM]64|(?<![A-Z])[vV][0-9]{1,3}(?![0-9A-Z])"
    r"|(?:[wW]in(?:dows)?|i(?:Pad)?OS|macOS)[0-9]{1,2}(?![0-9])|(?<![0-9A-Za-z])(?:(?:DESKTOP|LAPTOP)-[0-9A-Z]{7,8}|WIN-[0-9A-Z]{11})"
    r"(?![0-9A-Za-z])"
)
#: A change that does not begin a word, as an upper-case letter followed by two lower-case ones does.
_CHANGE: Final = re.compile(r"(?:(?<=[a-z0-9])(?=[A-Z])(?![A-Z][a-z]{2})|(?<=[a-zA-Z])(?=[0-9])|(?<=[0-9])(?=[a-z]))")
_PIECE: Final = re.compile(r"[A-Za-z0-9]+")
_DIGITS: Final = re.compile(r"[0-9]+")
_HEX: Final = re.compile(r"(?=[0-9]*[a-fA-F])(?=[a-fA-F]*[0-9])(?:[0-9a-f]{20,}|[0-9A-F]{20,})")
_DIGEST: Final = re.compile(r"[0-9A-Fa-f]{20,128}")
#: The text before a digest: the name of its algorithm, the @ of an image or an action, or a word such as `commit`.
_DIGEST_NAME: Final = re.compile(
    r"(?:\b(?:sha-?(?:1|224|256|384|512)|md5)[ :=-]{1,3}|@(?:sha\d{1,3}:)?|[\"']?(?:digest|commit|hash|thumbprint|checksum"
    r"|fingerprint|revision|fingerabdruck|etag|(?:trace|span)[_ -]?(?:id|parent)|sha-?(?:1|256|512)|md5)[\"']?"
    r"(?: (?:is|was|of|ist))?[ :=#\"'(/]{1,4}(?:00-)?)\Z",
    re.IGNORECASE,
)
#: A GUID without dashes. Below, the serial number of a device, in either case but not both.
_PLAIN_ID: Final = re.compile(r"[0-9A-Fa-f]{32}")
_ID_NAME: Final = re.compile(
    r"(?:(?:\b|_)(?:[iI]d|ID|guid|GUID|uuid|UUID)|(?<=[a-z])(?:Id|ID)|(?i:(?:correlation|request|activity|client|tenant|device|object|group"
    r"|policy|operation)(?:id)?))[\"']?(?: is| was)?[ :=#\"'({]{1,4}\Z",
)
_SERIAL: Final = re.compile(r"(?:[0-9A-Z]|-(?=[0-9A-Z])){20,40}|[0-9a-f]{20,40}")
_SERIAL_NAME: Final = re.compile(
    r"(?:\bserial(?:[ _-]?(?:numbers?|no\.?|nr\.?|#))?|serialnumber|seriennummer|\bs/n|\budid|\bimei|\biccid|(?:asset|service)"
    r"[ _-]?tag)[\"']?(?: (?:is|was|ist))?[ :=#\"'(]{1,4}\Z",
    re.IGNORECASE,
)
#: The minimum length of a word that is tested. Among shorter words, too many serial numbers and machine names look random.
SHORTEST: Final = 20
WORD: Final = re.compile(rf"(?<!{_CHAR}){_CHAR}{{{SHORTEST},}}={{0,2}}")


def without_random(match: re.Match[str]) -> str:
    """The replacement for a match of WORD: the word itself, or `[secret]` in place of its random parts or of all of it."""
    word = match[0]
    before = match.string[max(0, match.start() - 40) : match.start()]
    if _is_digest(word, before) or _is_id(word, before):
        return word
    rest = _KNOWN.sub("", word)
    if _is_random_whole(rest):
        return "[secret]"
    return _PIECE.sub(lambda piece: "[secret]" if _is_random(piece[0]) else piece[0], word) if rest == word else word


def _is_digest(word: str, before: str) -> bool:
    """Whether the word is marked as a digest: commit 3f2a…, sha256-Base64=."""
    if re.fullmatch(r"sha(?:256|384|512)-[A-Za-z0-9+/]{43,88}={0,2}", word):
        return True
    core = re.sub(r"\A00-|-[0-9a-f]{16}-0[01]\Z", "", word)
    said = re.match(
        r"(?:sha-?(?:1|256|384|512)|md5)-|(?:[\w-]*[/_-])?(?:commit|digest|hash|revision)[/_-]", core, re.IGNORECASE
    )
    if said:
        return _DIGEST.fullmatch(core[said.end() :]) is not None
    return _DIGEST.fullmatch(core) is not None and _DIGEST_NAME.search(before) is not None


def _is_id(word: str, before: str) -> bool:
    """Whether the text before the word marks it as the id of a request or an object, or as the number of a device."""
    return any(
        shape.fullmatch(word) and name.search(before)
        for shape, name in ((_PLAIN_ID, _ID_NAME), (_SERIAL, _SERIAL_NAME))
    )


def _changes(word: str, count: int, within: int) -> bool:
    """Whether the word has, anywhere, at least `count` changes within `within` characters."""
    places = [change.start() for change in _CHANGE.finditer(_TERMS.sub(_blank, word))]
    return any(last - first < within for first, last in zip(places, places[count - 1 :], strict=False))


def _blank(term: re.Match[str]) -> str:
    return "-" * len(term[0])


def _is_random(piece: str) -> bool:
    """Whether a piece of only letters and digits is random."""
    if len(piece) < SHORTEST:
        return False
    if _HEX.fullmatch(piece) or _changes(piece, 5, 20):
        return True
    return sum(1 for _ in itertools.islice(_DIGITS.finditer(piece), 5)) == 5


def _is_random_whole(word: str) -> bool:
    """Whether a word with hyphens, slashes and the like is random. Machine names and versions have many changes: it takes more."""
    pieces = _PIECE.findall(word)
    longest = max(map(len, pieces), default=0)
    if len(pieces) == 1:
        return _is_random(pieces[0])
    if len(word) < SHORTEST or longest < 11:
        return False
    mixed = re.search("[a-z]", word) and re.search("[A-Z]", word) and re.search("[0-9]", word)
    return _changes(word, 6 if mixed else 7, 20)


def is_random_value(value: str) -> bool:
    """Whether the value after "key" is random. Fewer changes are required than for a word in a sentence."""
    if _KNOWN.fullmatch(value):
        return True
    return len(value) >= 12 and _changes(value, 3, 16) and not re.match(r"[\w.]*[\\/][A-Za-z]{3}", value)
