"""What an app signs in with: a secret, a certificate, or an assertion of a workload identity. And whether it still can."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from store.errors import InputInvalid, OperationFailed
from tasks.graph.certificates import Certificate, load_certificate
from tasks.graph.clouds import GLOBAL, Addresses, Cloud, find_cloud

#: Returns the settings of the app of the tenant with a slug, as in [credentials.SLUG]; None if there are none. Raises
#: InputInvalid. `client_secret` and `client_certificate_password` are texts that were read already; `client_assertion`
#: is a function that reads the assertion.
Ask = Callable[[str], Mapping[str, Any] | None]
Kind = Literal["secret", "certificate", "assertion", "none"]

#: So long before its end a certificate is warned of.
WARN_BEFORE: Final = dt.timedelta(days=30)


@dataclass(frozen=True, slots=True)
class AppCredentials:
    """The app registration that a tenant's runs sign in with: the ids of the directory and the app, the tenant's cloud, and
    one of a secret, a certificate and an assertion.

    Secret, key and assertion are left out of `repr`.
    """

    directory_id: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    certificate: Certificate | None = field(default=None, repr=False)
    #: Reads the federated token; called at every sign-in, because such a token lives for minutes. Raises InputInvalid.
    assertion: Callable[[], str] | None = field(default=None, repr=False)
    cloud: Cloud = GLOBAL

    @staticmethod
    def from_settings(slug: str, ask: Ask) -> AppCredentials:
        """The credentials that `ask(slug)` returns. Raises OperationFailed if there are none, or they are incomplete,
        unreadable or expired.
        """
        try:
            found = _asked(slug, ask)
            certificate = _certificate(found)
            cloud = find_cloud(found.get("cloud", GLOBAL.name))
        except InputInvalid as error:  # the settings are wrong, not the run's parameters
            raise unauthorized(error) from None
        if certificate and (problem := certificate.problem(dt.datetime.now(dt.UTC))):
            raise OperationFailed("graph.unauthorized", problem)
        return AppCredentials(
            found["directory_id"],
            found["client_id"],
            found.get("client_secret", ""),
            certificate,
            found.get("client_assertion"),
            cloud,
        )

    @property
    def kind(self) -> Kind:
        """What the app signs in with."""
        if self.certificate:
            return "certificate"
        return "assertion" if self.assertion else "secret"

    def addresses(self, graph_url: str = "", authority: str = "") -> Addresses:
        """Where the tenant is reached: at the addresses given, else at those of its cloud. Raises OperationFailed for an
        address of another cloud.
        """
        try:
            return self.cloud.addresses(graph_url, authority)
        except InputInvalid as error:
            raise unauthorized(error) from None


@dataclass(frozen=True, slots=True)
class CredentialHealth:
    """Whether an app can sign in, as far as this machine can tell. Holds no secret."""

    kind: Kind
    #: The end of a certificate. The end of a secret is not known here.
    expires_at: dt.datetime | None
    #: Why the app cannot sign in; empty if nothing speaks against it.
    problem: str

    def warning(self, now: dt.datetime) -> str:
        """What to do soon: replace a certificate that ends within 30 days, or has ended. Empty if nothing."""
        if self.expires_at is None or now < self.expires_at - WARN_BEFORE:
            return ""
        if now >= self.expires_at:
            return f"the client certificate expired on {self.expires_at:%Y-%m-%d}"
        days = (self.expires_at - now).days
        return f"the client certificate expires on {self.expires_at:%Y-%m-%d}, in {days} day{'s' * (days != 1)}"


def credential_health(slug: str, ask: Ask, now: dt.datetime) -> CredentialHealth:
    """The health of a tenant's credentials at the time `now`. Reads their files and calls their commands; signs nobody in."""
    kind: Kind = "none"
    try:
        found = _asked(slug, ask)
        kind = _kind(found)
        if certificate := _certificate(found):
            return CredentialHealth(kind, certificate.expires_at, certificate.problem(now))
        if kind == "assertion":
            found["client_assertion"]()
    except (InputInvalid, OperationFailed) as error:
        return CredentialHealth(kind, None, str(error))
    return CredentialHealth(kind, None, "")


def unauthorized(error: InputInvalid) -> OperationFailed:
    """The failure of a run for settings that are wrong."""
    return OperationFailed("graph.unauthorized", error.message, error.hint)


def _asked(slug: str, ask: Ask) -> Mapping[str, Any]:
    found = ask(slug)
    if found is None:
        raise InputInvalid(f"no credentials are set up for {slug}", f"see [credentials.{slug}] in opsmon.toml")
    return found


def _kind(found: Mapping[str, Any]) -> Kind:
    if "client_certificate_file" in found:
        return "certificate"
    return "assertion" if "client_assertion" in found else "secret"


def _certificate(found: Mapping[str, Any]) -> Certificate | None:
    if "client_certificate_file" not in found:
        return None
    return load_certificate(Path(found["client_certificate_file"]), found.get("client_certificate_password"))
