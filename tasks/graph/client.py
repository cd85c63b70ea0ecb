"""Client for Microsoft Graph: reads objects and paged collections, and retries with back-off.

Graph's error messages are never shown: Intune nests a JSON string with internal URLs and tenant ids in them. Errors
give opsmon's own words for the status, and Graph's short error code.
"""

from __future__ import annotations

import datetime as dt
import email.utils
import random
import re
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Protocol

import httpx

from store.backoff import Backoff
from store.errors import OperationFailed
from tasks.graph.transport import make_http
from tasks.graph.versions import versioned

_SHORT_CODE: Final = re.compile(r"[A-Za-z0-9_.]{1,60}")
#: Statuses after which the same request may do better; 0 is an answer that did not come, or not whole.
_AGAIN: Final = (0, 408, 429, 500, 502, 503, 504)
_CODES: Final = {
    401: ("graph.unauthorized", "the token was refused: check the app's credentials and consent"),
    403: ("graph.forbidden", "grant the app the permission and consent to it"),
    404: ("graph.not_found", ""),
    408: ("graph.unavailable", ""),
    429: ("graph.throttled", "it did not end in time: try later"),
}


@dataclass(frozen=True, slots=True)
class RetryLimits:
    """Limits on the retries of one request: at most `attempts`, with random waits.

    Times are in seconds. The longest possible wait starts at `first_wait` and doubles up to `longest_wait`;
    `total_wait` bounds the sum of all waits. `timeout` applies to each step of an attempt.
    """

    attempts: int = 8
    first_wait: float = 1.0
    longest_wait: float = 60.0
    total_wait: float = 300.0
    timeout: float = 30.0


class Token(Protocol):
    """Provides a bearer token; with `force`, a new one, because the last was refused. Raises OperationFailed."""

    def __call__(self, *, force: bool = False) -> str:
        """The token, without the word Bearer."""


class GraphClient:
    """Reads from Graph with an app's token. `sleep` may raise to end the waiting. `on_throttle` is called before each
    wait for throttling, with its seconds.
    """

    def __init__(
        self,
        base_url: str,
        token: Token,
        *,
        limits: RetryLimits | None = None,
        sleep: Callable[[float], None] = time.sleep,
        on_throttle: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        self._limits = limits or RetryLimits()
        self._base = httpx.URL(base_url)
        self._token = token
        self._sleep = sleep
        self._on_throttle = on_throttle
        self._http = make_http(base_url, self._limits.timeout)
        #: Graph's id of the last request, for a ticket with Microsoft.
        self.request_id = ""

    def __enter__(self) -> GraphClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def get(self, path: str, parameters: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Read one object. `path` starts with a slash and has no version. Raises OperationFailed with a `graph.` code."""
        return self._send("GET", self._base.join(versioned(path)).copy_merge_params(dict(parameters or {})))

    def pages(self, path: str, parameters: Mapping[str, str] | None = None) -> Iterator[list[dict[str, Any]]]:
        """Read a collection page by page, following Graph's links to the next page.

        A page that is incomplete is requested again, so no object is lost. Raises OperationFailed with a `graph.` code.
        """
        url: httpx.URL | None = self._base.join(versioned(path)).copy_merge_params(dict(parameters or {}))
        read: set[httpx.URL] = set()
        while url is not None:
            if url in read:
                raise OperationFailed("graph.unavailable", "a page named one that was read before as its next")
            read.add(url)
            body = self._send("GET", url, _is_page)
            yield body["value"]
            url = self._next(body.get("@odata.nextLink"))

    def _next(self, link: object) -> httpx.URL | None:
        if not link:
            return None
        try:
            url = httpx.URL(str(link))
        except httpx.InvalidURL:
            raise OperationFailed("graph.unavailable", "a page named what is no address as its next") from None
        # The token goes to Graph and to nobody else, whatever an answer says.
        if (url.scheme, url.host, url.port) != (self._base.scheme, self._base.host, self._base.port):
            raise OperationFailed("graph.unavailable", "a page named another host as its next")
        return url

    def _send(
        self, method: str, url: httpx.URL, is_whole: Callable[[dict[str, Any]], bool] = lambda body: True
    ) -> dict[str, Any]:
        waited = 0.0
        renewed = False
        for attempt in range(1, self._limits.attempts + 1):
            answer = self._try(method, url, is_whole)
            if isinstance(answer, _Refusal) and answer.status == 401 and not renewed:
                # A token may end before its time; only one that is refused when it is new means no.
                renewed = True
                answer = self._try(method, url, is_whole, force=True)
            if isinstance(answer, dict):
                return answer
            wait = self._wait_before(attempt, answer)
            if answer.status in _AGAIN and attempt < self._limits.attempts and waited + wait <= self._limits.total_wait:
                if answer.status == 429:
                    self._on_throttle(wait)
                self._sleep(wait)
                waited += wait
                continue
            raise answer.failure()
        raise AssertionError("the last attempt returns or raises")

    def _try(
        self, method: str, url: httpx.URL, is_whole: Callable[[dict[str, Any]], bool], *, force: bool = False
    ) -> dict[str, Any] | _Refusal:
        request_id = str(uuid.uuid4())
        headers = {"Authorization": f"Bearer {self._token(force=force)}", "client-request-id": request_id}
        try:
            response = self._http.request(method, url, headers=headers)
            self.request_id = response.headers.get("request-id", request_id)
            if response.is_success:
                body = response.json()
                return body if isinstance(body, dict) and is_whole(body) else _Refusal(0, "an answer was not whole")
        except (ValueError, RecursionError):  # a body that broke off, or is not JSON
            return _Refusal(0, "an answer broke off")
        except httpx.HTTPError as error:
            return _Refusal(0, f"no answer ({type(error).__name__})")
        return _Refusal(response.status_code, _short_code(response), _retry_after(response))

    def _wait_before(self, attempt: int, answer: _Refusal) -> float:
        if answer.retry_after is not None:
            return answer.retry_after
        # Full jitter: many workers that were throttled together must not come back together.
        return Backoff(self._limits.first_wait, self._limits.longest_wait, random.uniform).pause(attempt)


@dataclass(frozen=True, slots=True)
class _Refusal:
    status: int  # 0: nothing that HTTP has a number for
    detail: str = ""
    retry_after: float | None = None

    def failure(self) -> OperationFailed:
        if self.status == 0:
            return OperationFailed("graph.unavailable", self.detail)
        code, advice = _CODES.get(self.status, ("graph.unavailable" if self.status >= 500 else "operation.error", ""))
        told = f"status {self.status}" + (f" ({self.detail})" if self.detail else "")
        return OperationFailed(code, told + (f", {advice}" if advice else ""))


def _is_page(body: dict[str, Any]) -> bool:
    """Whether the body is a page of a collection. A body without a list must not pass for an empty page: it would mark
    everything as gone.
    """
    items = body.get("value")
    return isinstance(items, list) and all(isinstance(item, dict) for item in items)


def _short_code(response: httpx.Response) -> str:
    try:
        code = response.json()["error"]["code"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return code if isinstance(code, str) and _SHORT_CODE.fullmatch(code) else ""


def _retry_after(response: httpx.Response) -> float | None:
    """The header Retry-After in seconds, from a number or an HTTP date; None if it is missing or invalid."""
    given = response.headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,6}(\.[0-9]+)?", given):
        return float(given)
    try:
        then = email.utils.parsedate_to_datetime(given)
        if then.tzinfo is None:  # "-0000": UTC, of a place that is not told
            then = then.replace(tzinfo=dt.UTC)
        return max(0.0, (then - dt.datetime.now(dt.UTC)).total_seconds())
    except (ValueError, OverflowError):
        return None
