"""An app's own sign-in (client credentials) through msal. The token is kept in this process's memory only."""

from __future__ import annotations

import contextlib
import ipaddress
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from store.errors import OperationFailed

#: The scope that asks for everything that the app was granted. The audience is Graph's, wherever Graph is reached.
SCOPE: Final = "https://graph.microsoft.com/.default"
_MICROSOFT: Final = (".microsoftonline.com", ".microsoftonline.us", ".chinacloudapi.cn", ".partner.microsoftonline.cn")


@dataclass(frozen=True, slots=True)
class AppCredentials:
    """The app registration that a tenant's runs act as. The secret shows up in no representation."""

    directory_id: str
    client_id: str
    client_secret: str = field(repr=False)

    @staticmethod
    def from_settings(slug: str, found: Mapping[str, str] | None) -> AppCredentials:
        """Raises OperationFailed when no credentials are set up for the tenant."""
        if found is None:
            raise OperationFailed(
                "graph.unauthorized", f"no credentials are set up for {slug}: see [credentials.{slug}] in opsmon.toml"
            )
        return AppCredentials(found["directory_id"], found["client_id"], found["client_secret"])


class AppToken:
    """Gives the app's token, from msal's memory until shortly before it expires. Thread-safe."""

    def __init__(self, credentials: AppCredentials, authority: str) -> None:
        self._credentials = credentials
        self._authority = authority.rstrip("/")
        self._lock = threading.Lock()
        self._app: Any = None
        self._http = _Http(plain=_is_plain_loopback(authority))

    def close(self) -> None:
        self._http.close()

    def __call__(self, *, force: bool = False) -> str:
        with self._lock:
            try:
                return self._acquire(force)
            except httpx.HTTPError as error:
                raise OperationFailed("graph.unavailable", f"the sign-in service: {type(error).__name__}") from error

    def _acquire(self, force: bool) -> str:
        app = self._make_app()
        if force:
            app.remove_tokens_for_client()
        answer: dict[str, Any] = app.acquire_token_for_client(scopes=[SCOPE]) or {}
        if "access_token" in answer:
            return str(answer["access_token"])
        reason = str(answer.get("error", "unknown"))[:60]
        raise OperationFailed(
            "graph.unauthorized", f"the sign-in was refused ({reason}): check directory, client id and secret"
        )

    def _make_app(self) -> Any:
        if self._app is None:
            import msal  # half a second, which only a run that signs in waits for

            address = f"https://{urlsplit(self._authority).netloc}/{self._credentials.directory_id}"
            known = (urlsplit(self._authority).hostname or "").endswith(_MICROSOFT)
            try:
                self._app = msal.ConfidentialClientApplication(
                    self._credentials.client_id,
                    client_credential=self._credentials.client_secret,
                    authority=address,
                    validate_authority=known,
                    instance_discovery=None if known else False,
                    http_client=self._http,
                )
            except ValueError as error:
                raise OperationFailed(
                    "graph.unauthorized", "the sign-in service does not know the directory"
                ) from error
        return self._app


def _is_plain_loopback(authority: str) -> bool:
    parts = urlsplit(authority)
    with contextlib.suppress(ValueError):
        return parts.scheme == "http" and ipaddress.ip_address(parts.hostname or "").is_loopback
    return parts.scheme == "http" and parts.hostname == "localhost"


class _Http:
    """What msal calls. It insists on https; an authority that is plain http on this machine (the simulator) gets http."""

    def __init__(self, *, plain: bool) -> None:
        self._plain = plain
        self._client = httpx.Client(timeout=15.0)

    def get(self, url: str, params: Any = None, headers: Any = None, **_: Any) -> httpx.Response:
        return self._client.get(self._address(url), params=params, headers=self._headers(headers))

    def post(self, url: str, params: Any = None, data: Any = None, headers: Any = None, **_: Any) -> httpx.Response:
        return self._client.post(self._address(url), params=params, data=data, headers=self._headers(headers))

    def close(self) -> None:
        self._client.close()

    def _address(self, url: str) -> str:
        return "http://" + url.removeprefix("https://") if self._plain else url

    def _headers(self, headers: Mapping[str, str] | None) -> dict[str, str]:
        # So that the simulator names its endpoints in the way in which msal takes them.
        return {**(headers or {}), **({"X-Forwarded-Proto": "https"} if self._plain else {})}
