"""Client for Microsoft Graph: reads objects and paged collections, writes, and retries with back-off."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Literal, Protocol

import httpx

from store.backoff import Backoff
from store.errors import OperationFailed
from tasks.graph.answers import Refusal, refusal
from tasks.graph.budget import Budget
from tasks.graph.resources import permission_for
from tasks.graph.transport import make_http
from tasks.graph.versions import versioned

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Body = Mapping[str, Any]
#: Errors of the connection before a request is sent.
_UNSENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


@dataclass(frozen=True, slots=True)
class RetryLimits:
    """Limits on the requests of one run.

    A request has at most `attempts`, with random waits. Times are in seconds. The longest possible wait starts at
    `first_wait` and doubles up to `longest_wait`; `total_wait` bounds the sum of all waits. `timeout` applies to each
    step of an attempt. `reads` and `writes` are how many requests may be sent in any 20 seconds; Intune refuses more
    than 1,000 and 100 of an app (microsoftgraph/microsoft-graph-docs-contrib, throttling-intune-*.md).
    """

    attempts: int = 8
    first_wait: float = 1.0
    longest_wait: float = 60.0
    total_wait: float = 300.0
    timeout: float = 30.0
    reads: int = 900
    writes: int = 90


#: The stretch of time that the budgets count in, in seconds: Intune's own.
BUDGET_SECONDS: Final = 20.0


class Token(Protocol):
    """Provides a bearer token; with `force`, a new one, because the last was refused. Raises OperationFailed."""

    def __call__(self, *, force: bool = False) -> str:
        """The token, without the word Bearer."""


def is_page(body: Mapping[str, Any]) -> bool:
    """Whether the body is a page of a collection. A body without a list must not pass for an empty page: it would mark
    everything as gone.
    """
    items = body.get("value")
    return isinstance(items, list) and all(isinstance(item, dict) for item in items)


class GraphClient:
    """Reads and writes Graph with an app's token. `sleep` may raise to end the waiting. `on_throttle` is called before
    each wait for throttling, with its seconds.
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
        self.limits = limits or RetryLimits()
        self._base = httpx.URL(base_url)
        self._token = token
        self._sleep = sleep
        self._on_throttle = on_throttle
        self._http = make_http(base_url, self.limits.timeout)
        self._reads = Budget(self.limits.reads, BUDGET_SECONDS, sleep=sleep)
        self._writes = Budget(self.limits.writes, BUDGET_SECONDS, sleep=sleep)
        #: Graph's id of the last request, for a ticket with Microsoft.
        self.request_id = ""

    @property
    def base_url(self) -> str:
        """The address of Graph, without a version and a slash at its end."""
        return str(self._base).rstrip("/")

    def __enter__(self) -> GraphClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def get(self, path: str, parameters: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Read one object. `path` starts with a slash and has no version; it may hold a query. Raises OperationFailed with
        a `graph.` code.
        """
        return self.send("GET", self.url(path, parameters))

    def pages(self, path: str, parameters: Mapping[str, str] | None = None) -> Iterator[list[dict[str, Any]]]:
        """Read a collection page by page, following Graph's links to the next page.

        A page that is incomplete is requested again, so no object is lost. Raises OperationFailed with a `graph.` code.
        """
        for body in self.bodies(self.url(path, parameters)):
            yield body["value"]

    def bodies(self, url: httpx.URL, is_whole: Callable[[dict[str, Any]], bool] = is_page) -> Iterator[dict[str, Any]]:
        """The pages of a collection as whole bodies, from the one at `url` on."""
        read: set[httpx.URL] = set()
        following: httpx.URL | None = url
        while following is not None:
            if following in read:
                raise OperationFailed("graph.unavailable", "a page named one that was read before as its next")
            read.add(following)
            body = self.send("GET", following, is_whole=is_whole)
            yield body
            following = self.link(body.get("@odata.nextLink"))

    def write(
        self,
        method: Method,
        path: str,
        body: Body | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        repeatable: bool | None = None,
    ) -> dict[str, Any]:
        """Send a change. Returns the answer's body, empty if there is none.

        A request that may have been carried out is sent again only if that does no harm: PUT, PATCH and DELETE, and a
        POST that is said to be `repeatable`, such as one that replaces a set. Raises OutcomeUnknown for any other whose
        answer was lost, ApprovalRequired for a change that waits for a person, and OperationFailed with a `graph.` code.
        """
        may_repeat = method != "POST" if repeatable is None else repeatable
        return self.send(method, self.url(path), body=body, headers=headers, repeatable=may_repeat)

    def url(self, path: str, parameters: Mapping[str, str] | None = None) -> httpx.URL:
        """The address of a path without a version."""
        url = self._base.join(versioned(path))
        return url.copy_merge_params(dict(parameters)) if parameters else url

    def batch_url(self, version: str) -> httpx.URL:
        """The address of the batches of an API version."""
        return self._base.join(f"/{version}/$batch")

    def link(self, link: object) -> httpx.URL | None:
        """The address that an answer named as the next; None if it named none. Raises OperationFailed for one that is not
        Graph's.
        """
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

    def send(
        self,
        method: Method,
        url: httpx.URL,
        *,
        body: Body | None = None,
        headers: Mapping[str, str] | None = None,
        is_whole: Callable[[dict[str, Any]], bool] = lambda body: True,
        repeatable: bool = True,
        reading: bool | None = None,
        costs: int = 1,
    ) -> dict[str, Any]:
        """Send one request, again after a wait where that may help. `costs` is what it takes from the budget: that of
        reads if it is `reading` (by default, a GET). Raises OperationFailed.
        """
        reads = method == "GET" if reading is None else reading
        pause = Pause(self.limits, self.wait)
        renewed = False
        while True:
            (self._reads if reads else self._writes).spend(costs)
            answer = self._try(method, url, body, headers, is_whole)
            if isinstance(answer, Refusal) and answer.status == 401 and not renewed:
                # A token may end before its time; only one that is refused when it is new means no.
                renewed = True
                answer = self._try(method, url, body, headers, is_whole, force=True)
            if not isinstance(answer, Refusal):
                return answer
            if not (answer.may_repeat(repeatable) and pause.after(answer)):
                raise answer.failure(permission_for(url.path, writing=not reads), repeatable)

    def wait(self, seconds: float, throttled: bool) -> None:
        """Sleep before another attempt."""
        if throttled:
            self._on_throttle(seconds)
        self._sleep(seconds)

    def _try(
        self,
        method: str,
        url: httpx.URL,
        body: Body | None,
        headers: Mapping[str, str] | None,
        is_whole: Callable[[dict[str, Any]], bool],
        *,
        force: bool = False,
    ) -> dict[str, Any] | Refusal:
        request_id = str(uuid.uuid4())
        own = {"Authorization": f"Bearer {self._token(force=force)}", "client-request-id": request_id}
        try:
            response = self._http.request(method, url, headers={**(headers or {}), **own}, json=body)
            self.request_id = response.headers.get("request-id", request_id)
            if not response.is_success:
                return refusal(response.status_code, response.headers, _json_or_none(response))
            if method != "GET" and not response.content:
                return {}  # documents, schema and practice differ in what a write answers with
            answer = response.json()
            return answer if isinstance(answer, dict) and is_whole(answer) else Refusal(0, "an answer was not whole")
        except (ValueError, RecursionError):  # a body that broke off, or is not JSON
            return Refusal(0, "an answer broke off")
        except httpx.HTTPError as error:
            return Refusal(0, f"no answer ({type(error).__name__})", unsent=isinstance(error, _UNSENT))


class Pause:
    """The waits between the attempts of one request."""

    def __init__(self, limits: RetryLimits, wait: Callable[[float, bool], None]) -> None:
        self._limits = limits
        self._wait = wait
        self._waited = 0.0
        self._attempt = 1

    def after(self, *answers: Refusal) -> bool:
        """Wait after these answers: as long as Graph asked, or a random time that grows. Returns whether there may be
        another attempt; does not wait if not.
        """
        told = [answer.retry_after for answer in answers if answer.retry_after is not None]
        wait = max(told, default=0.0)
        if len(told) < len(answers):
            # Full jitter: many workers that were throttled together must not come back together.
            backoff = Backoff(self._limits.first_wait, self._limits.longest_wait, random.uniform)
            wait = max(wait, backoff.pause(self._attempt))
        if self._attempt >= self._limits.attempts or self._waited + wait > self._limits.total_wait:
            return False
        self._wait(wait, any(answer.throttled for answer in answers))
        self._waited += wait
        self._attempt += 1
        return True


def _json_or_none(response: httpx.Response) -> Any:
    try:
        return response.json()
    except (ValueError, RecursionError):
        return None
