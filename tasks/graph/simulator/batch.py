"""Answers `$batch`: the items of a batch are requests like any other, each with faults of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

from tasks.graph.simulator.request import GraphError, Reply, Request

SIZE: Final = 20


def respond(request: Request, answer: Callable[[Request], Reply]) -> Reply:
    """The reply to a batch; `answer` gives the reply to one item. Raises GraphError (400) if the batch itself is wrong."""
    items = request.body.get("requests") if isinstance(request.body, dict) else None
    if request.method != "POST" or not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise GraphError(400, "BadRequest", "Invalid batch payload format.")
    if len(items) > SIZE:
        raise GraphError(400, "BadRequest", f"Number of batch request steps exceeds the maximum value of {SIZE}.")
    ids = [str(item.get("id", "")).lower() for item in items]
    if "" in ids or len(set(ids)) != len(ids):
        raise GraphError(400, "BadRequest", "The ids of a batch must be there and unique.")
    done: dict[str, int] = {}
    replies = [_item(item, request, answer, done) for item in items]
    return Reply(200, {"responses": replies[::-1]})  # in any order


def _item(
    item: dict[str, Any], batch: Request, answer: Callable[[Request], Reply], done: dict[str, int]
) -> dict[str, Any]:
    url = urlsplit(str(item.get("url", "")))
    headers = {str(name).lower(): str(value) for name, value in (item.get("headers") or {}).items()}
    method = str(item.get("method", "")).upper()
    request = Request(
        method, batch.version, f"/{url.path.lstrip('/')}", url.query, headers, item.get("body"), batch.base
    )
    if any(done.get(str(id_).lower(), 424) >= 400 for id_ in item.get("dependsOn") or []):
        reply = GraphError(424, "FailedDependency").reply(request.path)
    elif "body" in item and "content-type" not in headers:
        reply = GraphError(400, "BadRequest", "Write request must specify Content-Type.").reply(request.path)
    else:
        reply = answer(request)
    done[str(item["id"]).lower()] = reply.status
    told: dict[str, Any] = {"id": item["id"], "status": reply.status, "headers": dict(reply.headers)}
    # What is not JSON inside of a batch could not be sent: it breaks here, not at the client.
    return told if reply.body is None else {**told, "body": json.loads(json.dumps(reply.body))}
