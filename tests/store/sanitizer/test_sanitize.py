"""Nothing secret, personal or executable survives the sanitizer; what people need to read does."""

from __future__ import annotations

import base64
import json
import random
import subprocess
import sys
import unicodedata
import urllib.parse
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from store.sanitizer.sanitize import holds_secret, sanitize, visible
from tests.support.properties import examples, size

LIMIT = 200
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
DIGITS = "0123456789"
#: Where a long text is cut, in these tests: every place is tried.
CUT = 1_000
#: This many characters of a secret in a row are a leak.
WINDOW = 6

# ---- what must go: how a secret of each kind is written, given its random part


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def jwt(random: str) -> str:
    return f"{encoded(json.dumps({'alg': 'RS256'}))}.{encoded(json.dumps({'sub': random}))}.{random}"


def pem(random: str) -> str:
    return f"-----BEGIN RSA PRIVATE KEY-----\n{random}\n{random}\n-----END RSA PRIVATE KEY-----"


CARRIERS: dict[str, Callable[[str], str]] = {
    "bearer": lambda s: f"Bearer {s}",
    "bearer header": lambda s: f"Authorization: Bearer {s}",
    "bearer in JSON": lambda s: json.dumps({"authorization": f"Bearer {s}"}),
    "bearer in a URL": lambda s: f"Bearer%20{s}",
    "basic": lambda s: f"authorization: Basic {s}==",
    "another scheme": lambda s: f"Authorization: ApiKey {s}",
    "JWT": jwt,
    "JWT in JSON": lambda s: json.dumps({"value": jwt(s)}),
    "Entra client secret": lambda s: f"abc8Q~{s}",
    "Entra client secret in a URL": lambda s: f"abc8Q%7E{s}",
    "URL": lambda s: f"postgresql://opsmon:{s}@db.internal:5432/opsmon",
    "URL without a user": lambda s: f"redis://:{s}@cache",
    "URL with a raw password": lambda s: f"postgresql+psycopg://opsmon:p@{s}/x:{s}#{s}@db/opsmon",
    "SQL Server": lambda s: f"Server=tcp:db.example,1433;User ID=sa;Password={s};Encrypt=True;",
    "SQL Server, blanks": lambda s: f"Server=db;Password=correct {s} horse={s};Encrypt=True",
    "SQL Server, quoted": lambda s: f"Server=db;Pwd='it''s; {s}';Encrypt=True",
    "libpq": lambda s: f"host=db user=opsmon password={s} dbname=opsmon",
    "libpq, quoted": lambda s: rf"host=db password='it\'s {s}' dbname=opsmon",
    "storage account": lambda s: f"AccountName=x;AccountKey={s}{s}==;EndpointSuffix=core.windows.net",
    "service bus": lambda s: f"Endpoint=sb://x.servicebus.windows.net/;SharedAccessKeyName=root;SharedAccessKey={s}=",
    "SAS": lambda s: f"SharedAccessSignature sr=x&sig={s}%3D&se=1700000000&skn=root",
    "SAS in a URL": lambda s: f"https://x.blob.core.windows.net/a/b.json?sv=2022-11-02&sp=r&sig={s}%3D",
    "environment": lambda s: f"OPSMON_CLIENT_SECRET={s}",
    "JSON": lambda s: json.dumps({"client_secret": s, "tenant": "contoso"}),
    "JSON, blanks": lambda s: json.dumps({"secretText": f"a b {s}", "tenant": "contoso"}, indent=1),
    "JSON in JSON": lambda s: json.dumps({"body": json.dumps({"password": s})}),
    "JSON thrice": lambda s: json.dumps([json.dumps([json.dumps({"clientSecret": f"a {s}"})])]),
    "repr": lambda s: repr({"refresh_token": s, "x": 1}),
    "header pairs": lambda s: repr([(b"x-api-key", s.encode()), (b"accept", b"*/*")]),
    "form": lambda s: f"grant_type=client_credentials&client_secret={s}&scope=x",
    "form, encoded": lambda s: urllib.parse.quote(f"client_secret={s}&scope=x", safe=""),
    "YAML": lambda s: f"api_key: {s}\n",
    "YAML block": lambda s: f"password: |\n  {s}\n",
    "XML": lambda s: f"<password>correct {s} horse</password>",
    "XML, encoded": lambda s: f"&quot;password&quot;:&quot;{s}&quot;",
    "app settings": lambda s: f'<add key="DbPassword" value="{s}"/>',
    "code": lambda s: f"env['PASSWORD'] = '{s}'",
    "arguments": lambda s: f"az login --service-principal --password {s} --tenant x",
    "argument list": lambda s: repr(["az", "login", "--client-secret", s]),
    "quoted in a sentence": lambda s: f'invalid password "{s}"',
    "cookie": lambda s: f"Cookie: theme=dark; session={s}; a={s}",
    "PEM": pem,
    "PEM in JSON": lambda s: json.dumps({"key": pem(s)}),
    "GitHub": lambda s: f"ghp_{s}",
    "Base64": lambda s: f"Aa1{s}{s}{s}{s}",
    "address": lambda s: f"{s}@contoso.com",
    "guest": lambda s: f"{s}_gmail.com#EXT#@contoso.onmicrosoft.com",
    "address in a URL": lambda s: f"https://graph.microsoft.com/v1.0/users/{s}@contoso.com/messages",
    "address, encoded": lambda s: f"https://graph.microsoft.com/v1.0/users/{s}%40contoso.com",
    "address, quoted": lambda s: f'"Bob {s}"@contoso.com',
    "address of a machine": lambda s: f"{s}@[10.0.0.1]",
    "query": lambda s: f"https://graph.microsoft.com/beta/groups?$search={s}",
    "query without a name": lambda s: f"GET /beta/groups?{s}",
    "OData": lambda s: f"/beta/groups?$filter=displayName eq '{s} {s}' and mail eq '{s}': 400",
    "fragment": lambda s: f"https://localhost/#code={s}&state=x",
}


def leaked(secret: str, text: str) -> str:
    """The first piece of the secret that the text holds."""
    pieces = (secret[start : start + WINDOW] for start in range(len(secret) - WINDOW + 1))
    return next((piece for piece in pieces if piece in text), "")


def random_word(seed: int) -> str:
    """Truly random, so that no piece of it stands in its surroundings by chance."""
    dice = random.Random(seed)
    return "z" + "".join(dice.choices(LETTERS + DIGITS, k=dice.randint(8, 24))) + "7Q"


secrets = st.integers(0, 2**64).map(random_word)
GLUE = [
    "", " ", "\n", "\t", '"', "'", "{", "(", "=", ":", ",", ";", "<", ">", "|", "&", "_", "-", "/", ".", "%20", "\\n",
    "\x00", "\x07", "\x1b[31m", "\x1b[0m", "\x9b1m", "\x1b]0;title\x07", "\u200b", "\u202e", "\u00ad", "é", "密", "x", "7",
]  # fmt: skip
glue = st.sampled_from(GLUE)
words = st.text(max_size=30).filter(lambda text: not any(c in text for c in "\x1b\x90\x98\x9b\x9d\x9e\x9f\"'"))


@pytest.mark.parametrize("carrier", CARRIERS.values(), ids=CARRIERS)
@examples(10)
@given(secret=secrets, words_before=words, before=glue, after=glue, words_after=words)
@example(secret="zCorrectHorse7Q", words_before="", before="", after="", words_after="")
def test_no_surroundings_make_a_secret_survive(
    carrier: Callable[[str], str], secret: str, words_before: str, before: str, after: str, words_after: str
) -> None:
    text = f"{words_before}{before}{carrier(secret)}{after}{words_after}"
    assert not leaked(secret, sanitize(text, 10_000))


@pytest.mark.parametrize("carrier", CARRIERS.values(), ids=CARRIERS)
def test_no_cut_makes_a_part_of_a_secret_survive(
    carrier: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither where the input is cut, nor where the output is."""
    monkeypatch.setattr("store.sanitizer.sanitize.MAX_INPUT", CUT)
    secret = "zK4mPq9RtW2xYv8LbN3cDf6HgJ7Q"
    text = carrier(secret) + " and more"
    for shown in range(len(text) + 2):
        # Blanks collapse, so that what the cut has left is what is shown.
        assert not leaked(secret, sanitize(" " * (CUT - shown) + text + " " * 50, LIMIT)), f"cut at {shown}"
        assert not leaked(secret, sanitize("so " * ((LIMIT - shown) // 3) + text, LIMIT)), f"{shown} before the end"
    for shown in range(0, len(text), 7):
        lines = "\n" * (CUT - shown) + text.replace(" ", "\n") + "\n" * 50
        assert not leaked(secret, sanitize(lines, LIMIT)), f"cut at {shown}"


@pytest.mark.parametrize("carrier", CARRIERS.values(), ids=CARRIERS)
def test_no_invisible_character_takes_a_secret_apart(carrier: Callable[[str], str]) -> None:
    secret = "zK4mPq9RtW2xYv8LbN3c7Q"
    text = carrier(secret)
    for invisible in ("\x00", "\u200b", "\x1b[1m", "\u202e"):
        hidden = invisible.join(text)
        assert not leaked(secret, sanitize(hidden, 10_000)), f"with {invisible!r} behind each character"


PRIVATE = ("address", "guest", "query", "OData", "fragment")


@pytest.mark.parametrize("name", [name for name in CARRIERS if not name.startswith(PRIVATE)])
def test_a_secret_is_recognised(name: str) -> None:
    assert holds_secret(CARRIERS[name]("zK4mPq9RtW2xYv8LbN3c7Q"))


@pytest.mark.parametrize("name", [name for name in CARRIERS if name.startswith(PRIVATE)])
def test_an_address_or_a_query_is_no_secret(name: str) -> None:
    assert not holds_secret(CARRIERS[name]("alexander7"))


# ---- what must stay

HARMLESS = [
    "Microsoft Graph refused: the app lacks a permission",
    "deviceCompliancePolicies: 403 Forbidden",
    "The access token is expired",
    "429 Too Many Requests (Retry-After 17 s)",
    "6F9619FF-8b86-d011-b42d-00cf4fc964ff",
    "disk-encryption baseline for Windows 11, v2 (2024)",
    "https://graph.microsoft.com/v1.0/deviceManagement/deviceConfigurations",
    "/beta/deviceManagement/configurationPolicies/6F9619FF-8b86-d011-b42d-00cf4fc964ff/assignments",
    '{"error":{"code":"Forbidden","message":"no"}}',
    'connection to server at "127.0.0.1", port 5432 failed: Connection refused',
    'FATAL: password authentication failed for user "opsmon"',
    "KeyError: 'displayName'",
    "[Errno 28] No space left on device: '/var/lib/opsmon/opsmon.db'",
    "Richtlinie „Gerätesperre“ wurde nicht gefunden",
    "ポリシーが見つかりません",
    "Is it done? Not yet.",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_people_need_to_read_is_kept(text: str) -> None:
    assert sanitize(text, LIMIT) == text
    assert not holds_secret(text)


def test_what_stands_around_a_secret_is_kept() -> None:
    text = "sign-in failed for db1 with Bearer abcdef123456 after 3 tries; password=hunter2; see the log"
    assert sanitize(text, LIMIT) == "sign-in failed for db1 with [token] after 3 tries; password=[secret]; see the log"
    assert sanitize(sanitize(text, LIMIT), LIMIT) == sanitize(text, LIMIT)


# ---- what a terminal would obey

HOSTILE = {
    "colour": "a\x1b[31mb",
    "colour, 8 bit": "a\x9b31mb",
    "clipboard": "a\x1b]52;c;aGlkZGVu\x07b",
    "clipboard, other end": "a\x1b]52;c;aGlkZGVu\x1b\\b",
    "clipboard, 8 bit": "a\x9d52;c;aGlkZGVu\x9cb",
    "clipboard, no end": "ab\x1b]52;c;aGlkZGVu",
    "device string": "a\x1bPaGlkZGVu\x1b\\b",
    "title": "a\x1b]0;aGlkZGVu\x07b",
    "reset": "a\x1bcb",
    "character set": "a\x1b(0b",
    "bidirectional": "a\u202eb\u2066",
    "bell, backspace, delete": "a\x07\x08\x7fb",
    "no width": "a\u200b\u2060\ufeffb",
    "surrogate": "a\ud800b",
    "private use": "a\ue000b",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_escape_sequences_go_with_all_they_hold(text: str) -> None:
    assert sanitize(text, LIMIT) == "ab"


@examples(100)
@given(
    st.text(st.characters() | st.sampled_from("\x1b\x9b\x9d\x90[]PX^_;m\x07\\\r\n\u2028\u202e\x85")),
    st.integers(2, 300),
)
def test_what_is_left_is_one_visible_line_within_the_limit(text: str, limit: int) -> None:
    shown = sanitize(text, limit)
    assert len(shown) <= limit
    assert shown == " ".join(shown.split())
    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert visible(text) == visible(visible(text))


def test_lines_become_one() -> None:
    assert sanitize("one\r\ntwo\tthree\u2028four\x85five", LIMIT) == "one two three four five"


def test_a_long_text_ends_where_it_was_cut() -> None:
    assert sanitize("word " * 100, 50) == ("word " * 9 + "word")[:49].rstrip() + "…"
    assert len(sanitize("x" * 1_000_000, LIMIT)) <= LIMIT
    assert sanitize("Failed: " + "word " * 200_000, LIMIT).startswith("Failed: word word")


# ---- what would make a pattern run for ever

#: Each is repeated until it fills the text: the beginning of what a pattern looks for, never its end.
SHAPES = [
    " ", "a", "1", "A1a", "-", "--", "--a", "=", "'", '"', "\\", '\\"', "@", "%", "%40", "&", "&a=", "?", "a?", "?a=", "#",
    "/", "/a", "/abc", "0/abcA", "://", "a://", "a://b:", "a://b@", "eyJ", "eyJaaaa.", "ewoaaaaaaaa.", "Bearer ", "basic =",
    "8Q~", "password", "password=", "password='", 'password="\\', "password\\", "pass-", "api_key ", "'password', ", "<token>",
    "--token ", "token: |", "authorization: ", "authorization: a ", "cookie: ", "cookie: a=b; ", "-----BEGIN A-----",
    "-----BEGIN ", "a?b eq 'c' ", "a?b and c ", "6f9619ff-8b86-d011-b42d-00cf4fc964ff", '"a', "a.", "[", "<", "\x1b[", "\x1b]",
    "\x9b0", "\u200b", "A1", "0a", "aB1", "a1-", "key=", "key=a", "_key: ", "-u ", "-u a:", "curl -u", "--user a", "-a", "-token ",
    "sk-", "AC0", "hvs.", "123456-", "ABCD1-", "a@sha256:", "commit ", "sha256-", "basic a ", "digest a", "token: the ", "M.",
    "password: a ", "password: a", "password = ", "secret: the a ", "token: aB",
    "token: a.a", "cookie: a ", "authorization: a, ", "curl --user ",
    "curl -u a:1", "-u a:1", "Win1", "23H2", "v1", "DESKTOP-", "request id ", "serial ", "A-", "passwort: der ", "key: aa.",
]  # fmt: skip
#: Characters of a text. Of the long ones, a pattern that is quadratic has enough for minutes; of the others, a worse one for hours.
LONG = size(20_000, 400_000)
#: Seconds of the process's own time, which passes on no machine because others use it, for all patterns over one of the texts.
STEPS = """
import signal, sys
from store.sanitizer import sanitize

for shape, length in eval(sys.stdin.read()):
    print(repr(shape), flush=True)
    signal.setitimer(signal.ITIMER_VIRTUAL, 60)
    for end in ("", "!"):
        long = shape * (length // len(shape)) + end
        for pattern, replacement in sanitize.rules():
            pattern.sub(replacement, long)
    text = shape * (sanitize.MAX_INPUT // len(shape) - 2)
    sanitize.sanitize(text + " " + text * 10, 200)
"""


@pytest.mark.worker
def test_no_text_keeps_a_pattern_busy() -> None:
    """Not a measurement: a pattern that is not linear takes minutes or hours over one of these texts, the others no second."""
    done = subprocess.run(
        [sys.executable, "-c", STEPS],
        input=repr([(shape, LONG) for shape in SHAPES]),
        text=True,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), f"busy with {done.stdout.splitlines()[-1:]}"
