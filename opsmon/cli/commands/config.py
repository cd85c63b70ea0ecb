"""`opsmon config`: prints every effective setting and its source. Secrets are masked."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from opsmon.cli.commands.session import Session
from opsmon.credentials import all_credentials, variable_of_credential
from opsmon.output import table
from opsmon.settings import MASK, SETTINGS, Settings
from store.sanitizer.sanitize import holds_secret

_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_USERINFO: Final = re.compile(r"(?<=://)([^:/?#@]*):.*@(?=[^@]*$)", re.DOTALL)
_IN_QUERY: Final = re.compile(r"([?&;#])([^=&;#]*)(=?)([^&;#]*)")
#: Keys of a URL's query whose values are not secret. Values of all other keys are masked.
_HARMLESS: Final = {
    *("user", "host", "hostaddr", "port", "dbname", "service", "application_name", "fallback_application_name"),
    *("client_encoding", "connect_timeout", "target_session_attrs", "load_balance_hosts", "tcp_user_timeout"),
    *("keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "channel_binding", "require_auth"),
    *("gssencmode", "krbsrvname", "replication", "sslmode", "sslnegotiation", "sslrootcert", "sslcert", "sslkey"),
    *("sslcrl", "sslcrldir", "sslsni", "sslcompression", "ssl_min_protocol_version", "ssl_max_protocol_version"),
    *("mode", "cache", "uri", "timeout"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One setting as printed: its key, its masked value, the source of the value, and the environment variable that sets it."""

    key: str
    value: Any
    source: str
    variable: str


def config(session: Session, _: argparse.Namespace) -> int:
    """Print the effective settings and credentials. Returns the exit code."""
    lines = [*_settings(session.services.settings), *_credentials(session.services.settings, os.environ)]
    rows = [(line.key, line.value, line.source, line.variable) for line in lines]
    session.output.show(lines, lambda: table(("SETTING", "VALUE", "FROM", "VARIABLE"), rows))
    return 0


def _settings(settings: Settings) -> Iterator[Line]:
    for setting in SETTINGS:
        value = masked(setting.key, getattr(settings, setting.key))
        yield Line(
            setting.key, setting.unset if value == "" else value, settings.sources[setting.key], setting.variable
        )


def _credentials(settings: Settings, environment: Mapping[str, str]) -> Iterator[Line]:
    for slug, values in sorted(all_credentials(settings.credential_values, environment).items()):
        for key, value in values.items():
            yield Line(
                f"credentials.{slug}.{key}", masked(key, value.value), value.source, variable_of_credential(slug, key)
            )


def masked(key: str, value: Any) -> Any:
    """`value` with its secrets masked: a client secret entirely, the arguments of a command, a URL's password and the
    query values not known to be harmless, and anything that looks like a key.
    """
    if not isinstance(value, str):
        return value
    if key == "client_secret":
        return MASK
    if key.endswith("_command"):  # its arguments may hold the secret
        program, has_more, _ = value.strip().partition(" ")
        return f"{program} {MASK}" if has_more else value
    if _URL.match(value):  # the places of secrets in a URL are known, and its path may look like a key
        return _IN_QUERY.sub(_masked_part, _USERINFO.sub(rf"\1:{MASK}@", value))
    return MASK if holds_secret(value) or (key == "database_url" and "@" in value) else value


def _masked_part(part: re.Match[str]) -> str:
    mark, name, is_, value = part.groups()
    if not value and not is_:  # a word without "=" may be a value
        return f"{mark}{MASK}" if name else mark
    return f"{mark}{name}{is_}{value if name in _HARMLESS else MASK}"
