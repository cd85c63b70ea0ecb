"""`$batch`: up to 20 requests in one, each answered, throttled and paged by itself
(microsoftgraph/microsoft-graph-docs-contrib, concepts/json-batching.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from store.errors import OperationFailed
from tasks.graph.answers import Refusal, refusal
from tasks.graph.client import GraphClient, Pause, is_page
from tasks.graph.resources import permission_for
from tasks.graph.versions import version_of

#: Requests in a batch at most.
SIZE: Final = 20


@dataclass(frozen=True, slots=True)
class Reading:
    """A GET within a batch. `path` starts with a slash and has no version; it may hold a query."""

    key: Any
    path: str
    #: A collection: all its pages are read.
    collection: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Open:
    """A reading that has not ended."""

    reading: Reading
    #: What is asked next: the path with its query, behind the version.
    url: str
    items: list[dict[str, Any]] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)


def read(graph: GraphClient, readings: Iterable[Reading]) -> Iterator[tuple[Reading, dict[str, Any] | OperationFailed]]:
    """Read many things, 20 at a time. Yields each with its body, or with the failure that is its own; in any order.

    The body of a collection has the elements of all pages under `value`. Readings of different API versions go in
    different batches. Raises OperationFailed if Graph refuses a batch as a whole.
    """
    waiting: dict[str, list[_Open]] = {}
    for reading in readings:
        queue = waiting.setdefault(version_of(reading.path), [])
        queue.append(_Open(reading, reading.path))
        while len(queue) >= SIZE:
            yield from _round(graph, version_of(reading.path), queue)
    for version, queue in waiting.items():
        while queue:
            yield from _round(graph, version, queue)


def _round(
    graph: GraphClient, version: str, queue: list[_Open]
) -> Iterator[tuple[Reading, dict[str, Any] | OperationFailed]]:
    """Send what is first in the queue until each of those has moved on: to its end, or to its next page, which is put
    back into the queue.
    """
    asked, queue[:] = queue[:SIZE], queue[SIZE:]
    pause = Pause(graph.limits, graph.wait)
    while asked:
        refused: list[tuple[_Open, Refusal]] = []
        for one, answer in _send(graph, version, asked):
            if isinstance(answer, Refusal):
                if answer.may_repeat(True):
                    refused.append((one, answer))
                else:
                    yield one.reading, _failure(answer, one)
                continue
            done = _take(graph, version, one, answer)
            if done is None:
                queue.append(one)
            else:
                yield one.reading, done
        asked = [one for one, _ in refused]
        if asked and not pause.after(*(answer for _, answer in refused)):
            for one, answer in refused:
                yield one.reading, _failure(answer, one)
            return


def _failure(answer: Refusal, one: _Open) -> OperationFailed:
    return answer.failure(permission_for(one.reading.path, writing=False))


def _take(
    graph: GraphClient, version: str, one: _Open, body: dict[str, Any]
) -> dict[str, Any] | OperationFailed | None:
    """The whole body, the failure that ends the reading, or None if there is another page to ask for."""
    if not one.reading.collection:
        return body
    one.items += body["value"]
    one.seen.add(one.url)
    try:
        following = graph.link(body.get("@odata.nextLink"))
    except OperationFailed as error:
        return error
    if following is None:
        return {**body, "value": one.items}
    one.url = _relative(following, version)
    if one.url in one.seen:
        return OperationFailed("graph.unavailable", "a page named one that was read before as its next")
    return None


def _relative(url: httpx.URL, version: str) -> str:
    return url.raw_path.decode().removeprefix(f"/{version}")


def _send(graph: GraphClient, version: str, asked: list[_Open]) -> Iterator[tuple[_Open, dict[str, Any] | Refusal]]:
    requests = [
        {"id": str(number), "method": "GET", "url": one.url}
        | ({"headers": dict(one.reading.headers)} if one.reading.headers else {})
        for number, one in enumerate(asked, 1)
    ]
    url = graph.batch_url(version)
    body = graph.send("POST", url, body={"requests": requests}, is_whole=_is_batch, reading=True, costs=len(requests))
    answers = {str(answer.get("id")): answer for answer in body["responses"]}
    for number, one in enumerate(asked, 1):
        yield one, _answer(one, answers.get(str(number)))


def _answer(one: _Open, given: Mapping[str, Any] | None) -> dict[str, Any] | Refusal:
    status, body = (given or {}).get("status"), (given or {}).get("body")
    if given is None or not isinstance(status, int):
        return Refusal(0, "a batch left an answer out")
    if not 200 <= status < 300:
        headers = given.get("headers")
        return refusal(status, headers if isinstance(headers, Mapping) else {}, body)
    if not isinstance(body, dict) or (one.reading.collection and not is_page(body)):
        return Refusal(0, "an answer was not whole")
    return body


def _is_batch(body: Mapping[str, Any]) -> bool:
    answers = body.get("responses")
    return isinstance(answers, list) and all(isinstance(answer, dict) for answer in answers)
