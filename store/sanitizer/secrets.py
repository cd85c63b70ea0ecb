"""Patterns that recognize a secret for certain: by its name, by a service's prefix, or by the way it is sent.

Names and prefixes are the ones of public secret scanners. Patterns are permissive on purpose: replacing a word too many costs
nothing, keeping a token costs a tenant. Hence most of them match regardless of the text before, which may be cut or joined to
the name. All take time linear in the length of the text: no unbounded repetition can start at every position of a long run.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from store.sanitizer.randomness import is_random_value

#: A pattern and its replacement.
Rule = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]

#: Words before "key" that make its value a secret, whatever the value looks like.
_KEYS: Final = (
    r"api|access|account|private|secret|subscription|functions?|master|host|storage|encryption|signing|shared|shared[_ -]?access"
    r"|azure|aws|gcp|google|github|openai|anthropic|client|application|app|admin|license|product|recovery|webhook|deploy"
    r"|auth|service|db|database|priv"
)
#: Names of secrets, or endings of such names: CLIENT_SECRET, clientSecret, Account Key, db_password, secretText.
#: Values of the first kind are chosen by people and may be any words; those of the second are issued by machines.
_CHOSEN: Final = (
    r"secret|pass(?:word|wd|phrase|code)?|pwd|passwor[td]|kennwort|geheimnis|contrase[ñn]a|secure[_ -]?string"
)
_ISSUED: Final = (
    rf"token|sas|(?:{_KEYS})[_ -]?key(?:[_ -]?id)?|(?:device|user)[_ -]?code|code[_ -]?verifier"
    r"|assertion|credential|signature|sig|otp|auth|authorization|cookie|session[_ -]?id"
)
_ENDING: Final = r"(?:[_ -]?(?:text|value|string|base64|b64|s|\d{1,3}))?"
_NAME: Final = rf"((?:{_CHOSEN}|{_ISSUED}){_ENDING})"
_QUOTE: Final = r"(?:\\{0,8}[\"']|&quot;|&#3[49];)"
#: Between name and value: name=value, "name": "value", \"name\":\"value\", env['name'] = 'value', ('name', 'value'),
#: name%3Dvalue, <name>value, "name" value="value", name 'value', and YAML's name: |. Atomic.
_IS: Final = (
    rf"(?>(?:{_QUOTE}\]?)? ?(?:=>|:=|->|[=:>]|%(?:25){{0,3}}3[ad]) ?(?:[|>][+-]? )?"
    rf"|{_QUOTE} ?, ?|{_QUOTE} value ?= ?| (?=[\"']))"
)
#: A value. A quoted one, or one in a connection string or between tags, is replaced as a whole, spaces included.
_VALUE: Final = (
    r"(?:[bru]{0,2}\\{0,8}\"(?:[^\"\\]|\\.|\"\")*\"?|[bru]{0,2}\\{0,8}'(?:[^'\\]|\\.|'')*'?"
    r"|(?:(?<==)|(?<== ))[^;]{1,200}?(?=[;\"…])|(?:(?<=>)|(?<=> ))[^<]{1,200}?(?=[<…])|(?:&quot;|&#3[49];)?[^\s;]+)"
)
#: A password of several words after `name: ` or `name = `, up to where something else begins.
_WORDS: Final = (
    r"(?:(?<=: )|(?<= = ))(?![\"'\\&])[^\s;]+"
    r"(?:(?<![.,:!?)\]}>\"'|…]) (?![(\[{<|&\u2013\u2014-]|[^\s:=]{1,40} ?[:=])[^\s;]+){0,11}"
)
_STATES: Final = (
    r"required|missing|expired|invalid|valid|none|null|nil|true|false|yes|no|not|unknown|unset|empty|undefined|ok|failed"
    r"|denied|rejected|revoked|disabled|enabled|absent|wrong|incorrect|changed|unchanged|optional|rotated|renewed|refreshed"
    r"|redacted|hidden|masked|oauth2?|oidc|kerberos|ntlm|certificate|abgelaufen|ungültig|fehlt|erforderlich|falsch"
    r"|pending|found|set|sent|cached|present|granted|refused|accepted|verified|expiring|locked|blocked|skipped|passed"
    r"|strong|weak|gesetzt|gültig|geändert|\*{3,}|[^\w\s]"
)
_VERBS: Final = (
    r"must|is|are|was|were|has|have|had|cannot|could|should|will|would|may|can|does|did|not|never|needs?|requires?|expires?|expired"
    r"|ends?|see|failed|missing|invalid|unknown|denied|rejected|refused|revoked|required|changed|cancelled|muss|ist|war|wurde"
    r"|hat|kann|nicht|fehlt|läuft|abgelaufen"
)
#: The beginning of a sentence about a secret: its verb or its subject. An article alone may also begin a passphrase.
_SENTENCE: Final = (
    rf"(?:(?-i:[a-z]{{2,14}} ){{1,3}}(?:must|cannot|are|were|should)(?= [a-z])"
    rf"|(?:{_VERBS}|no|too|please|at least|min(?:imum)?|max(?:imum)?|mindestens|höchstens|bitte|kein|in(?= \d))(?= [\wäöü])"
    rf"|(?:the|an?|access|users?|client|server|der|die|das|ein)(?= (?:[\w'-]{{1,30}} ){{0,3}}(?:{_VERBS})(?![\w-])))"
)
#: A number of secrets or of days: secrets=3, "90 days left".
_COUNT: Final = r"\d{1,3}(?=[,.)%}\]]?(?:\s|\Z))"
_END: Final = r"(?=[\"'>)\]}]{0,3}(?:[,;]|[.:!?…]{0,3}(?:\s|\Z)))"
#: The state of a secret instead of its value: null, "expired", a number, or a sentence after a colon.
_STATE: Final = rf"(?:\\{{0,8}}[\"'](?:{_STATES})\\{{0,8}}[\"']|(?:{_STATES}){_END}|{_COUNT}|(?<=: ){_SENTENCE})"
#: A value after a colon that no machine issues: a word followed by others, or the name of a property.
_PLAIN: Final = (
    r"(?-i:(?:[A-ZÄÖÜ]?[a-zäöüß]{1,14}|[A-Z]{2,5})(?=,? [\w(])"
    rf"|(?:[a-z]{{2,20}}(?:[A-Z][a-z]{{2,20}}){{1,5}}|[A-Za-z]{{2,20}}(?:[._][A-Za-z]{{2,20}}){{1,5}}){_END})"
)
#: After these names, a single plain word is not a secret either: authorization: delegated.
_STANDS: Final = "|".join(
    f"(?<={name}: )"
    for name in (
        "auth",
        "authorization",
        "signature",
        "sig",
        "credential",
        "credentials",
        "otp",
        "cookie",
        "cookies",
        "session id",
    )
)
_SAID: Final = rf"{_IS}(?! ?{_STATE})"
_SAID_ISSUED: Final = rf"{_SAID}(?!(?<=: ){_PLAIN}|(?:{_STANDS})(?-i:[a-z]{{1,14}}(?:-[a-z]{{1,14}})?){_END})"
#: "key" of an unspecified kind: its value decides whether it is a secret. Some kinds of keys never are.
_KEY: Final = r"(key(?:s|\d{1,2})?(?<!public.key)(?<!publickey)(?<!foreign.key)(?<!partition.key))"
_LOOSE: Final = re.compile(rf"{_KEY}{_IS}[\"']?([\w+/.~!@#$%^&*-]{{8,}}={{0,2}})[\"']?", re.IGNORECASE)
_USER_AND_REST: Final = r"(?!\d+:\d+(?![\w]))[^\s:\"'/]{1,100}:(?!//)[^\s\"']+"
#: The same, except that a number may be a port; with curl, whatever follows is a password.
_USER_AND_NO_PORT: Final = rf"(?![^\s:\"'/]{{1,100}}:\d{{1,5}}(?![\w~+/.=:!@#$%^&*-])){_USER_AND_REST}"
_USER_OPTION: Final = r"(?:-u|--(?:proxy-)?user)"

#: The prefixes of the keys of well-known services; no word begins with one.
_PREFIXES: Final = (
    r"gh[pousr]_|github_pat_|gl(?:pat|dt|rt|cbt|ptt|ft|soat|agent|imt|oas)-|(?:AKIA|ASIA|ABIA|ACCA)(?=[A-Z0-9]{8})|AIza|GOCSPX-"
    r"|ya29\.|xox[a-z]-|xapp-\d|npm_|npg_|pypi-AgE|dckr_[op]at_|hv[sbr]\.|do[opr]_v1_|dapi(?=[0-9a-f]{8})|shp(?:at|ca|pa|ss)_"
    r"|sq0[a-z]{3}-|EAAA|NRAK-|NRII-|NRJS-|NRRA-|HRKU-|AT(?:ATT|CTT)3|ATBB|sntry[su]_|gl(?:sa|c)_|lin_(?:api|oauth)_|PMAK-"
    r"|AGE-SECRET-KEY-|whsec_|rubygems_|figd_|sbp_|pul-|CCIPAT_|dp\.(?:pt|st|ct|scim|audit)\.|LTAI(?=[0-9A-Za-z]{12})"
    r"|hf_|gsk_|xai-|pplx-|ops_ey|oy2(?=[a-z0-9]{40})"
)
_SERVICES: Final = (
    # Entra client secrets (xxx8Q~…)
    (re.compile(r"[\w.~-]{0,3}\dQ(?:~|%7e)[\w.~%-]{2,}", re.IGNORECASE), "[secret]"),
    (re.compile(r"(?:gh[pousr]_|github_pat_|xox[abprs]-|AKIA|ASIA|AIza|glpat-|npg_)[\w-]{8,}"), "[secret]"),
    (re.compile(rf"(?<![A-Za-z0-9])(?:{_PREFIXES})[\w.+/~-]{{8,}}={{0,2}}"), "[secret]"),
    # OpenAI, Anthropic; Stripe; Twilio; SendGrid; Mailgun; Terraform
    (re.compile(r"(?<![A-Za-z0-9])(?:sk-[\w-]{8,}|[srp]k_(?:live|test|prod)_\w{8,})"), "[secret]"),
    (re.compile(r"(?<![A-Za-z0-9])(?:(?:SK|AC)[0-9a-f]{32}|SG\.[\w-]{16,}(?:\.[\w-]+)?|key-[0-9a-f]{32})"), "[secret]"),
    (re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9]{14}\.atlasv1\.[\w-]+"), "[secret]"),
    # Bots of Telegram and Discord; Airtable; newer keys of Azure's services
    (re.compile(r"(?<![A-Za-z0-9])\d{8,10}:AA[\w-]{32,}"), "[secret]"),
    (re.compile(r"(?<![A-Za-z0-9])[MNO][\w-]{23,28}\.[\w-]{6}\.[\w-]{27,}"), "[secret]"),
    (re.compile(r"(?<![A-Za-z0-9])pat[A-Za-z0-9]{14}\.[0-9a-f]{32,}"), "[secret]"),
    (
        re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9]{30,60}(?:JQQJ9|AzFu|\+ASt|AzSe|AzCa|ACDb)[A-Za-z0-9+/=]{4,}"),
        "[secret]",
    ),
    # Webhooks: whoever has the URL may post to it
    (re.compile(r"(hooks\.slack\.com/(?:services|workflows)|discord(?:app)?\.com/api/webhooks)/\S+"), r"\1/[secret]"),
    (re.compile(r"(webhook\.office\.com)/\S+"), r"\1/[secret]"),
    # BitLocker's recovery password, and a product key
    (re.compile(r"(?<![\w-])\d{6}(?:-\d{6}){7}(?![\w-])"), "[secret]"),
    (re.compile(r"(?<![\w-])(?=[A-Z-]{0,28}\d)[A-Z0-9]{5}(?:-[A-Z0-9]{5}){4}(?![\w-])"), "[secret]"),
)


def _loose(match: re.Match[str]) -> str:
    return f"{match[1]}=[secret]" if is_random_value(match[2]) else match[0]


#: The rules for secrets recognized by a name or prefix, in the order of their application.
NAMED: Final[tuple[Rule, ...]] = (
    (re.compile(r"-{4,5} ?BEGIN [A-Z0-9 ]{0,40}-{4,5}.*?(?:-{4,5} ?END [A-Z0-9 ]{0,40}-{4,5}|\Z)"), "[key]"),
    # Plain words may follow these words too: "basic authentication", "Basic Windows11"
    (
        re.compile(
            r"(?:bearer(?!(?:%20|[ +=:\"'\\,])+[a-z]+(?![\w~+/.=:%-]))"
            r"|(?:basic|negotiate)(?!(?:%20|[ +=:\"'\\,])+[a-z]+\d{0,4}(?![\w~+/.=:%-]))|digest(?= \w+ ?=))"
            r"(?:%20|[ +=:\"'\\,]){1,6}(?:[a-z][a-z_]{0,20}[ =:]{1,3})?[\w~+/.=:%-]{6,}",
            re.IGNORECASE,
        ),
        "[token]",
    ),
    # JSON in Base64, such as a JWT, with the further parts after dots
    (
        re.compile(
            r"(?<![A-Za-z0-9])(?:ey[JI][\w+/=%-]{4,}(?:\.[\w+/=%-]*){0,4}|ew[og][\w+/=-]{8,}(?:\.[\w+/=-]+){1,4})"
        ),
        "[token]",
    ),
    # user:password@ in URLs and connection strings; a password may hold any of / @ :
    (re.compile(r"://(?:[^\s/@:]{0,256}:\S{0,1000}|[^\s/@]{1,256})@(?!sha\d{1,3}:)"), "://[credentials]@"),
    (
        # Two plain words are a sentence: "authorization: pending approval"
        re.compile(
            rf"(authorization)[\"']? ?[:=]"
            rf"(?! ?{_STATE}| ?(?-i:[a-z]{{1,14}}|[A-Z]{{2,5}}),? (?-i:[a-z]{{1,14}}){_END})"
            r" ?[\"']?[\w-]{1,40} [^\s,;]+",
            re.IGNORECASE,
        ),
        r"\1=[secret]",
    ),
    (re.compile(r"(cookie)[\"']? ?[:=] ?[\"']?(?:[^\s;=]{1,100}=[^\s;]*(?:; ?)?)+", re.IGNORECASE), r"\1=[secret]"),
    # Command-line options: --password x, -Password x, -u user:x
    (re.compile(rf"((?<![\w-])--?[\w-]{{0,30}}){_NAME} (?!{_STATE})[^\s;]+", re.IGNORECASE), r"\1\2=[secret]"),
    (
        re.compile(
            rf"((?<![\w-])curl (?:[^|;]{{0,100}}? )??(?:-u|{_USER_OPTION}(?=[ =\"'])))[ =]?[\"']?{_USER_AND_REST}"
        ),
        r"\1 [credentials]",
    ),
    (re.compile(rf"((?<![\w-]){_USER_OPTION})(?:[ =][\"']?|[\"']){_USER_AND_NO_PORT}"), r"\1 [credentials]"),
    (re.compile(rf"((?:{_CHOSEN}){_ENDING}){_SAID}(?:{_WORDS}|{_VALUE})", re.IGNORECASE), r"\1=[secret]"),
    (re.compile(rf"((?:{_ISSUED}){_ENDING}){_SAID_ISSUED}{_VALUE}", re.IGNORECASE), r"\1=[secret]"),
    *_SERVICES,
)
#: The name and the state of a secret as patterns of their own, for values that are stored apart from their names.
SECRET_NAME: Final = re.compile(rf"{_NAME}\Z", re.IGNORECASE)
STATE: Final = re.compile(_STATE, re.IGNORECASE)
#: The rule for values after a mere "key". It is apart from NAMED, because in a parameter such a value may be a name.
LOOSE: Final[Rule] = (_LOOSE, _loose)
