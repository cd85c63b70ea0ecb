"""What a person's own sign-in is made of: the app that it goes through, what the person is told, how it ends, and its token.

Imports nothing that is slow: screens reach this module through group_search.py.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

from store.errors import InputInvalid
from tasks.graph.clouds import GLOBAL, Cloud, find_cloud
from tasks.graph.credentials import Ask

#: The delegated permission that a group search needs, and the only one that is asked for. Source: group-list.md.
PERMISSION: Final = "GroupMember.Read.All"
#: Ids of Entra are GUIDs. Anything else may be a secret in the wrong place, so it is not repeated.
_GUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class End(StrEnum):
    """How a sign-in ended."""

    SIGNED_IN = "signed_in"
    STOPPED = "stopped"
    #: The person said no.
    DECLINED = "declined"
    #: The code ended before anybody used it.
    EXPIRED = "expired"
    #: Conditional Access does not allow it, whatever the person does.
    REFUSED = "refused"
    #: Nobody has consented to the permission.
    NO_CONSENT = "no_consent"
    #: The app registration does not allow public client flows.
    NOT_PUBLIC = "not_public"
    OTHER = "other"

    @property
    def is_final(self) -> bool:
        """Whether another try would end the same way until an administrator changes something."""
        return self in (End.REFUSED, End.NO_CONSENT, End.NOT_PUBLIC)


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the person does to sign in. All of it is one line and safe to show."""

    #: Address of the page to open, and the code to enter there.
    address: str
    user_code: str
    #: When the code ends, in UTC.
    expires_at: dt.datetime

    @property
    def text(self) -> str:
        """The instruction as a sentence."""
        return f"open {self.address} in a browser and enter the code {self.user_code}"


class DelegatedToken:
    """A person's access token. It is in this object's memory only: no text of the object shows it, and it cannot be pickled."""

    __slots__ = ("_value", "expires_at")

    def __init__(self, value: str, expires_at: float) -> None:
        """`expires_at` is the time of the clock that the sign-in went by, in seconds."""
        self._value = value
        self.expires_at = expires_at

    def __repr__(self) -> str:
        return "DelegatedToken()"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a token is not written anywhere")

    @property
    def value(self) -> str:
        """The token, without the word Bearer; empty after `forget`."""
        return self._value

    def is_over(self, now: float) -> bool:
        """Whether the token was forgotten, or has ended at the clock's time `now`."""
        return not self._value or now >= self.expires_at

    def forget(self) -> None:
        """Drop the token."""
        self._value = ""


@dataclass(frozen=True, slots=True)
class SignInOutcome:
    """The end of a sign-in: what it was, and one line for the person."""

    end: End
    text: str
    #: Only with SIGNED_IN.
    token: DelegatedToken | None = None


@dataclass(frozen=True, slots=True)
class DelegatedApp:
    """The public client that people of a tenant sign in through, and where. Holds no secret."""

    directory_id: str
    client_id: str
    cloud: Cloud
    #: Address of Graph, without a version, and of the sign-in service, without a path or a slash at the end.
    graph_url: str
    authority: str

    @staticmethod
    def from_settings(slug: str, ask: Ask, graph_url: str = "", authority: str = "") -> DelegatedApp:
        """From what `ask(slug)` returns, at the addresses given, else at those of the tenant's cloud. Raises InputInvalid
        with what is missing or wrong.

        `ask` may read files and run commands of the app's own credentials; nothing of these is kept.
        """
        found = ask(slug) or {}
        client_id = _client_id(slug, found)
        if not found.get("directory_id"):
            raise InputInvalid(f"the credentials of tenant '{slug}' lack directory_id", _where(slug))
        cloud = find_cloud(str(found.get("cloud", GLOBAL.name)))
        addresses = cloud.addresses(graph_url, authority)
        return DelegatedApp(
            str(found["directory_id"]),
            client_id,
            cloud,
            _safe_base("graph_url", addresses.graph_url),
            _safe_base("graph_authority", addresses.authority),
        )

    @property
    def scope(self) -> str:
        """What a token is asked for: one permission. Without `offline_access` there is no refresh token to guard."""
        return f"{self.cloud.graph_url}/{PERMISSION}"


def _client_id(slug: str, found: Mapping[str, Any]) -> str:
    given = found.get("delegated_client_id")
    if not given:
        raise InputInvalid(f"no app is set up that people of tenant '{slug}' sign in through", _where(slug))
    if not (isinstance(given, str) and _GUID.fullmatch(given)):
        raise InputInvalid(
            f"delegated_client_id of tenant '{slug}' is no application id", "give the GUID of a public client"
        )
    return given


def _where(slug: str) -> str:
    return f"set delegated_client_id and directory_id under [credentials.{slug}]"


def _safe_base(setting: str, url: str) -> str:
    """The scheme, host and port of an address. Raises InputInvalid unless a token is safe on the way there."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        host = ""
    if not host:
        raise InputInvalid(f"{setting} is no address", "give one that begins with https://")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_here(host)):
        raise InputInvalid(f"{setting} is not encrypted", "give an address that begins with https://")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _is_here(host: str) -> bool:
    """Whether a host is this machine: as transport.is_loopback, which brings httpx along."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
