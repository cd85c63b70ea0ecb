"""The shapes by which a secret is known for certain: what it is called, what a service writes in front of it, how it is sent.

Names and prefixes are those that public secret scanners know. Patterns are permissive on purpose: a word too many that is
replaced costs nothing, a token that is kept costs a tenant. Hence most do not ask what stands before them: what is cut off
there, or glued on, is not known. All are linear in the length of the text (nothing that repeats without a bound can be
entered at every place of a long run).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from store.sanitizer.randomness import is_random_value

Rule = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]

#: What, in front of "key", makes its value a secret whatever it looks like.
_KEYS: Final = (
    r"api|access|account|private|secret|subscription|functions?|master|host|storage|encryption|signing|shared|shared[_ -]?access"
    r"|azure|aws|gcp|google|github|openai|anthropic|client|application|app|admin|license|product|recovery|webhook|deploy"
    r"|auth|service|db|database|priv"
)
#: What a secret is called, or what its name ends in: CLIENT_SECRET, clientSecret, Account Key, db_password, secretText.
#: People choose some of them, so that any words may be one; the others are issued by machines.
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
#: From name to value: name=value, "name": "value", \"name\":\"value\", env['name'] = 'value', ('name', 'value'), name%3Dvalue,
#: <name>value, "name" value="value", name 'value', and YAML's name: |. Taken or left as a whole.
_IS: Final = (
    rf"(?>(?:{_QUOTE}\]?)? ?(?:=>|:=|->|[=:>]|%(?:25){{0,3}}3[ad]) ?(?:[|>][+-]? )?"
    rf"|{_QUOTE} ?, ?|{_QUOTE} value ?= ?| (?=[\"']))"
)
#: A quoted value goes whole, blanks and all, and so does one in a connection string or between tags.
_VALUE: Final = (
    r"(?:[bru]{0,2}\\{0,8}\"(?:[^\"\\]|\\.|\"\")*\"?|[bru]{0,2}\\{0,8}'(?:[^'\\]|\\.|'')*'?"
    r"|(?:(?<==)|(?<== ))[^;]{1,200}?(?=[;\"…])|(?:(?<=>)|(?<=> ))[^<]{1,200}?(?=[<…])|(?:&quot;|&#3[49];)?[^\s;]+)"
)
#: After `name: ` and `name = `, a password may be several words: up to where something else begins.
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
#: How a sentence about a secret begins: with its verb, or with who does something. An article alone begins a passphrase, too.
_SENTENCE: Final = (
    rf"(?:(?-i:[a-z]{{2,14}} ){{1,3}}(?:must|cannot|are|were|should)(?= [a-z])"
    rf"|(?:{_VERBS}|no|too|please|at least|min(?:imum)?|max(?:imum)?|mindestens|höchstens|bitte|kein|in(?= \d))(?= [\wäöü])"
    rf"|(?:the|an?|access|users?|client|server|der|die|das|ein)(?= (?:[\w'-]{{1,30}} ){{0,3}}(?:{_VERBS})(?![\w-])))"
)
#: So many of them, or for so long: secrets=3, "90 days left".
_COUNT: Final = r"\d{1,3}(?=[,.)%}\]]?(?:\s|\Z))"
_END: Final = r"(?=[\"'>)\]}]{0,3}(?:[,;]|[.:!?…]{0,3}(?:\s|\Z)))"
#: What says how it stands with a secret, and is none: null, "expired", a number of them, and after a colon a sentence.
_STATE: Final = rf"(?:\\{{0,8}}[\"'](?:{_STATES})\\{{0,8}}[\"']|(?:{_STATES}){_END}|{_COUNT}|(?<=: ){_SENTENCE})"
#: What no machine issues, after a colon: a word that others follow, the name of a property.
_PLAIN: Final = (
    r"(?-i:(?:[A-ZÄÖÜ]?[a-zäöüß]{1,14}|[A-Z]{2,5})(?=,? [\w(])"
    rf"|(?:[a-z]{{2,20}}(?:[A-Z][a-z]{{2,20}}){{1,5}}|[A-Za-z]{{2,20}}(?:[._][A-Za-z]{{2,20}}){{1,5}}){_END})"
)
#: Of these, nor a single word: authorization: delegated.
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
#: A key of no said kind: what it is depends on its value. Some are names of other things.
_KEY: Final = r"(key(?:s|\d{1,2})?(?<!public.key)(?<!publickey)(?<!foreign.key)(?<!partition.key))"
_LOOSE: Final = re.compile(rf"{_KEY}{_IS}[\"']?([\w+/.~!@#$%^&*-]{{8,}}={{0,2}})[\"']?", re.IGNORECASE)
_USER_AND_REST: Final = r"(?!\d+:\d+(?![\w]))[^\s:\"'/]{1,100}:(?!//)[^\s\"']+"
#: Of curl, whatever follows is a password; of others, a number may be a port.
_USER_AND_NO_PORT: Final = rf"(?![^\s:\"'/]{{1,100}}:\d{{1,5}}(?![\w~+/.=:!@#$%^&*-])){_USER_AND_REST}"
_USER_OPTION: Final = r"(?:-u|--(?:proxy-)?user)"

#: What stands in front of the keys of well-known services; no word begins like that.
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
    # Bots of Telegram and Discord, Airtable; keys of Azure's services of the newer kind
    (re.compile(r"(?<![A-Za-z0-9])\d{8,10}:AA[\w-]{32,}"), "[secret]"),
    (re.compile(r"(?<![A-Za-z0-9])[MNO][\w-]{23,28}\.[\w-]{6}\.[\w-]{27,}"), "[secret]"),
    (re.compile(r"(?<![A-Za-z0-9])pat[A-Za-z0-9]{14}\.[0-9a-f]{32,}"), "[secret]"),
    (
        re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9]{30,60}(?:JQQJ9|AzFu|\+ASt|AzSe|AzCa|ACDb)[A-Za-z0-9+/=]{4,}"),
        "[secret]",
    ),
    # Addresses that whoever has them may post to
    (re.compile(r"(hooks\.slack\.com/(?:services|workflows)|discord(?:app)?\.com/api/webhooks)/\S+"), r"\1/[secret]"),
    (re.compile(r"(webhook\.office\.com)/\S+"), r"\1/[secret]"),
    # BitLocker's recovery password, and a product key
    (re.compile(r"(?<![\w-])\d{6}(?:-\d{6}){7}(?![\w-])"), "[secret]"),
    (re.compile(r"(?<![\w-])(?=[A-Z-]{0,28}\d)[A-Z0-9]{5}(?:-[A-Z0-9]{5}){4}(?![\w-])"), "[secret]"),
)


def _loose(match: re.Match[str]) -> str:
    return f"{match[1]}=[secret]" if is_random_value(match[2]) else match[0]


NAMED: Final[tuple[Rule, ...]] = (
    (re.compile(r"-{4,5} ?BEGIN [A-Z0-9 ]{0,40}-{4,5}.*?(?:-{4,5} ?END [A-Z0-9 ]{0,40}-{4,5}|\Z)"), "[key]"),
    # Words may follow these words, too: "basic authentication", "Basic Windows11"
    (
        re.compile(
            r"(?:bearer(?!(?:%20|[ +=:\"'\\,])+[a-z]+(?![\w~+/.=:%-]))"
            r"|(?:basic|negotiate)(?!(?:%20|[ +=:\"'\\,])+[a-z]+\d{0,4}(?![\w~+/.=:%-]))|digest(?= \w+ ?=))"
            r"(?:%20|[ +=:\"'\\,]){1,6}(?:[a-z][a-z_]{0,20}[ =:]{1,3})?[\w~+/.=:%-]{6,}",
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
    # What a command is given: --password x, -Password x, -u user:x
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
#: The name of a secret, and what says how it stands with one, each by itself: where a value does not stand behind its name.
SECRET_NAME: Final = re.compile(rf"{_NAME}\Z", re.IGNORECASE)
STATE: Final = re.compile(_STATE, re.IGNORECASE)
#: What is a secret in a sentence may be the name of something in a parameter.
LOOSE: Final[Rule] = (_LOOSE, _loose)
