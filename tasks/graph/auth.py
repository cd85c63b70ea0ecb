"""App-only sign-in (client credentials) through msal. Tokens are held in this process's memory only."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from store.errors import InputInvalid, OperationFailed
from tasks.graph.transport import is_loopback, make_http

#: Requests every permission granted to the app. The audience is Graph's, whatever the address that Graph is reached at.
SCOPE: Final = "https://graph.microsoft.com/.default"
_REASON: Final = re.compile(r"[A-Za-z_]{1,60}")
#: Microsoft's error number, which its documentation is indexed by. The text after it names directories and apps.
_NUMBER: Final = re.compile(r"AADSTS[0-9]{4,9}(?![0-9])")
_MICROSOFT: Final = (".microsoftonline.com", ".microsoftonline.us", ".chinacloudapi.cn", ".partner.microsoftonline.cn")


@dataclass(frozen=True, slots=True)
class AppCredentials:
    """The app registration that a tenant's runs sign in with: the ids of the directory and the app, and the app's
    secret.

    The secret is left out of `repr`.
    """

    directory_id: str
    client_id: str
    client_secret: str = field(repr=False)

    @staticmethod
    def from_settings(slug: str, ask: Callable[[str], Mapping[str, str] | None]) -> AppCredentials:
        """The credentials that `ask(slug)` returns. Raises OperationFailed if there are none, or they are incomplete or
        unreadable.
        """
        try:
            found = ask(slug)
        except InputInvalid as error:  # the settings are wrong, not the run's parameters
            raise OperationFailed("graph.unauthorized", error.message, error.hint) from None
        if found is None:
            raise OperationFailed(
                "graph.unauthorized", f"no credentials are set up for {slug}: see [credentials.{slug}] in opsmon.toml"
            )
        return AppCredentials(found["directory_id"], found["client_id"], found["client_secret"])


class AppToken:
    """Returns the app's access token, from msal's cache until shortly before it expires. Thread-safe."""

    def __init__(self, credentials: AppCredentials, authority: str) -> None:
        self._credentials = credentials
        self._authority = authority.rstrip("/")
        self._lock = threading.Lock()
        self._app: Any = None
        self._http = _Http(authority)

    def close(self) -> None:
        """Close the connections to the sign-in service."""
        self._http.close()

    def __call__(self, *, force: bool = False) -> str:
        with self._lock:
            try:
                return self._acquire(force)
            except OperationFailed:
                raise
            except httpx.HTTPError as error:
                raise OperationFailed("graph.unavailable", f"the sign-in service: {type(error).__name__}") from error
            except Exception as error:  # msal lets any error through, with the server's answer in its text
                raise OperationFailed(
                    "graph.unauthorized", f"the sign-in failed ({type(error).__name__}): check graph_authority"
                ) from error

    def _acquire(self, force: bool) -> str:
        app = self._make_app()
        if force:
            app.remove_tokens_for_client()
        answer: dict[str, Any] = app.acquire_token_for_client(scopes=[SCOPE]) or {}
        if "access_token" in answer:
            return str(answer["access_token"])
        raise OperationFailed(
            "graph.unauthorized", f"the sign-in was refused ({_reason(answer)}): check directory, client id and secret"
        )

    def _make_app(self) -> Any:
        if self._app is None:
            import msal  # takes half a second: only runs that sign in pay for it

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


def _reason(answer: Mapping[str, Any]) -> str:
    """Why a sign-in was refused, as short codes only."""
    error = answer.get("error")
    number = _NUMBER.search(str(answer.get("error_description")))
    known = isinstance(error, str) and _REASON.fullmatch(error)
    return (str(error) if known else "unknown") + (f", {number.group()}" if number else "")


def _readable(response: httpx.Response) -> httpx.Response:
    """Return the response if msal can handle it, and raise otherwise: msal would raise or log the body, which may hold
    a token.
    """
    status = response.status_code
    if status == 429:
        raise OperationFailed("graph.throttled", "the sign-in service is busy: try later")
    if status >= 500:
        raise OperationFailed("graph.unavailable", f"the sign-in service: status {status}: try later")
    try:
        if isinstance(response.json(), dict):
            return response
    except (ValueError, RecursionError):
        pass
    raise OperationFailed("graph.unavailable", f"no sign-in service answered (status {status}): check graph_authority")


class _Http:
    """The HTTP client for msal. msal insists on https; for a plain-http authority on this machine (the simulator) it is
    mapped to http.
    """

    def __init__(self, authority: str) -> None:
        self._plain = authority.startswith("http://") and is_loopback(authority)
        self._client = make_http(authority, 15.0)

    def get(self, url: str, params: Any = None, headers: Any = None, **_: Any) -> httpx.Response:
        return _readable(self._client.get(self._address(url), params=params, headers=self._headers(headers)))

    def post(self, url: str, params: Any = None, data: Any = None, headers: Any = None, **_: Any) -> httpx.Response:
        sent = self._client.post(self._address(url), params=params, data=data, headers=self._headers(headers))
        return _readable(sent)

    def close(self) -> None:
        self._client.close()

    def _address(self, url: str) -> str:
        return "http://" + url.removeprefix("https://") if self._plain else url

    def _headers(self, headers: Mapping[str, str] | None) -> dict[str, str]:
        # Makes the simulator return https endpoints, the only ones that msal accepts.
        return {**(headers or {}), **({"X-Forwarded-Proto": "https"} if self._plain else {})}
