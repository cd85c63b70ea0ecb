"""App-only sign-in (client credentials) through msal. Tokens are held in this process's memory only."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from store.errors import InputInvalid, OperationFailed
from tasks.graph.credentials import AppCredentials, unauthorized
from tasks.graph.transport import is_loopback, make_http

__all__ = ["AppCredentials", "AppToken", "reason_of"]

_REASON: Final = re.compile(r"[A-Za-z_]{1,60}")
#: Microsoft's error number, which its documentation is indexed by. The text after it names directories and apps.
_NUMBER: Final = re.compile(r"AADSTS([0-9]{4,9})(?![0-9])")
#: What to do about a refusal, by Microsoft's number. Source: "Microsoft Entra authentication and authorization error codes"
#: (https://learn.microsoft.com/entra/identity-platform/reference-error-codes).
_ADVICE: Final = {
    "7000222": "the client secret has expired: make a new one in the app registration",
    "7000215": "the client secret is wrong: give the secret's value, not its id",
    "700027": "the client certificate is not this app's: register it in the app registration, or use the one that is",
    "90002": "there is no such tenant in this cloud: check directory_id and cloud",
    "53003": "conditional access blocks the app: ask for its policies to let the app sign in",
    "530033": "conditional access demands a device, which an app does not have: ask for an exception for the app",
    "65001": "nobody has consented to the app's permissions: have an administrator grant them",
    "900382": "the app or the scope belongs to another cloud: check cloud",
}
_MICROSOFT: Final = (".microsoftonline.com", ".microsoftonline.us", ".chinacloudapi.cn", ".partner.microsoftonline.cn")


class AppToken:
    """Returns the app's access token, from msal's cache until shortly before it expires. Thread-safe."""

    def __init__(self, credentials: AppCredentials, authority: str = "") -> None:
        """`authority` is the URL of the sign-in service; that of the credentials' cloud if it is empty."""
        self._credentials = credentials
        self._authority = (authority or credentials.cloud.authority).rstrip("/")
        self._lock = threading.Lock()
        self._app: Any = None
        self._http = _Http(self._authority)

    def close(self) -> None:
        """Close the connections to the sign-in service."""
        self._http.close()

    def __call__(self, *, force: bool = False) -> str:
        with self._lock:
            try:
                return self._acquire(force)
            except OperationFailed:
                raise
            except InputInvalid as error:  # an assertion that cannot be read
                raise unauthorized(error) from None
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
        answer: dict[str, Any] = app.acquire_token_for_client(scopes=[self._credentials.cloud.scope]) or {}
        if "access_token" in answer:
            return str(answer["access_token"])
        raise _refusal(answer, self._credentials.kind)

    def _make_app(self) -> Any:
        if self._app is None:
            import msal  # takes half a second: only runs that sign in pay for it

            address = f"https://{urlsplit(self._authority).netloc}/{self._credentials.directory_id}"
            known = (urlsplit(self._authority).hostname or "").endswith(_MICROSOFT)
            try:
                self._app = msal.ConfidentialClientApplication(
                    self._credentials.client_id,
                    client_credential=_for_msal(self._credentials),
                    authority=address,
                    validate_authority=known,
                    instance_discovery=None if known else False,
                    http_client=self._http,
                )
            except ValueError as error:
                raise OperationFailed(
                    "graph.unauthorized",
                    "the sign-in service does not know the directory: check directory_id and cloud",
                ) from error
        return self._app


def _for_msal(credentials: AppCredentials) -> Any:
    """What msal takes as `client_credential`. From a certificate it computes the SHA-256 thumbprint itself; with a
    `thumbprint` it would take that for SHA-1.
    """
    if credentials.certificate:
        return {
            "private_key": credentials.certificate.key,
            "public_certificate": credentials.certificate.certificate,
        }
    if credentials.assertion:
        return {"client_assertion": credentials.assertion}
    return credentials.client_secret


def reason_of(answer: Mapping[str, Any]) -> tuple[str, str]:
    """Why the sign-in service refused, as short codes only: the error's word, or `unknown`, and Microsoft's number without
    the letters before it, or nothing. The text around them names directories and apps.
    """
    error = answer.get("error")
    number = _NUMBER.search(str(answer.get("error_description")))
    known = isinstance(error, str) and _REASON.fullmatch(error)
    return str(error) if known else "unknown", number[1] if number else ""


def _refusal(answer: Mapping[str, Any], kind: str) -> OperationFailed:
    """The failure for a sign-in that was refused: the reason as short codes only, and what to do about it."""
    word, number = reason_of(answer)
    reason = word + (f", AADSTS{number}" if number else "")
    advice = _ADVICE.get(number) or f"check directory, client id and {kind}"
    return OperationFailed("graph.unauthorized", f"the sign-in was refused ({reason}): {advice}")


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
        # msal gives a signed assertion as bytes, of which httpx would send the `repr`.
        form = {name: value.decode() if isinstance(value, bytes) else value for name, value in (data or {}).items()}
        sent = self._client.post(self._address(url), params=params, data=form, headers=self._headers(headers))
        return _readable(sent)

    def close(self) -> None:
        self._client.close()

    def _address(self, url: str) -> str:
        return "http://" + url.removeprefix("https://") if self._plain else url

    def _headers(self, headers: Mapping[str, str] | None) -> dict[str, str]:
        # Makes the simulator return https endpoints, the only ones that msal accepts.
        return {**(headers or {}), **({"X-Forwarded-Proto": "https"} if self._plain else {})}
