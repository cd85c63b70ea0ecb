"""Answers requests for groups of the directory: lists, delta rounds, look-ups by id (microsoftgraph/
microsoft-graph-docs-contrib, group-list.md, group-delta.md, concepts/delta-query-overview.md).

A delta round is as unkind as the documents allow: one of its pages is empty, and one object comes twice.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from tasks.graph.simulator.query import Query
from tasks.graph.simulator.reading import context, page, require
from tasks.graph.simulator.request import GraphError, Reply, Request
from tasks.graph.simulator.tenants import SimulatedTenant

MAX_TOP: Final = 999
MAX_IDS: Final = 1000
_PATHS: Final = ("groups", "directoryobjects", "organization")
_READ: Final = ("GroupMember.Read.All", "Group.Read.All", "Directory.Read.All")


def concerns(request: Request) -> bool:
    """Whether a request is for the directory."""
    return request.parts[0].lower() in _PATHS


def respond(tenant: SimulatedTenant, request: Request, page_size: int) -> Reply:
    """The reply. Raises GraphError."""
    require(tenant, *_READ)
    match request.method, [part.lower() for part in request.parts]:
        case "GET", ["groups"]:
            return Reply(200, _list(tenant, request, page_size))
        case "GET", ["groups", "delta" | "delta()" | "microsoft.graph.delta"]:
            return _delta(tenant, request, page_size)
        case "GET", ["groups", id_]:
            return _one(tenant, request, id_)
        case "POST", ["directoryobjects", "getbyids"]:
            return _by_ids(tenant, request)
        case "GET", ["organization"]:
            return Reply(200, {"value": [{"id": tenant.directory, "displayName": tenant.slug}]})
        case "GET", _:
            raise GraphError(404, "Request_ResourceNotFound", "Resource was not found.")
    raise GraphError(405)


def _one(tenant: SimulatedTenant, request: Request, id_: str) -> Reply:
    found = next((group for group in tenant.listed("groups") if str(group["id"]).lower() == id_), None)
    if found is None:
        raise GraphError(404, "Request_ResourceNotFound", f"Resource '{id_}' does not exist.")
    query = Query.parse(request.query)
    query.check(("$select",))
    return Reply(200, {"@odata.context": context(request), **query.cut(_shown(found))})


def _shown(group: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in group.items() if key != "members"}


def _list(tenant: SimulatedTenant, request: Request, page_size: int) -> dict[str, Any]:
    query = Query.parse(request.query)
    query.check(("$select", "$filter", "$top", "$search", "$count"))
    if query.search and request.headers.get("consistencylevel", "").lower() != "eventual":
        raise GraphError(
            400,
            "Request_UnsupportedQuery",
            "Request with $search query parameter only works with ConsistencyLevel:eventual header.",
        )
    if "&" in query.search and "legacysearch=false" not in request.headers.get("prefer", "").lower():
        # A known issue of v1.0: developer.microsoft.com/graph/known-issues, 18185.
        raise GraphError(400, "BadRequest", "Unrecognized query argument specified: ''.")
    size = query.top or min(page_size, 100)
    if size > MAX_TOP:
        raise GraphError(
            400,
            "Request_UnsupportedQuery",
            f"Invalid page size specified: '{size}'. Must be between 1 and {MAX_TOP} inclusive.",
        )
    answer = page(request, query, query.selected([_shown(group) for group in tenant.listed("groups")], _KNOWN), size)
    answer["value"] = [query.cut(group) for group in answer["value"]]
    return answer


_KNOWN: Final = ("groupTypes", "securityEnabled", "mailEnabled", "membershipRule", "onPremisesSyncEnabled", "mail")


def _by_ids(tenant: SimulatedTenant, request: Request) -> Reply:
    ids = request.body.get("ids") if isinstance(request.body, dict) else None
    if not isinstance(ids, list) or not ids or len(ids) > MAX_IDS:
        raise GraphError(400, "Request_BadRequest", f"Between 1 and {MAX_IDS} ids are expected.")
    wanted = {str(id_).lower() for id_ in ids}
    found = [_shown(group) for group in tenant.listed("groups") if str(group["id"]).lower() in wanted]
    return Reply(200, {"@odata.context": context(request), "value": found})


# -- delta ------------------------------------------------------------------------------------------------------------


def _delta(tenant: SimulatedTenant, request: Request, page_size: int) -> Reply:
    query = Query.parse(request.query)
    query.check(("$select", "$deltatoken"))
    token = query.given.get("$skiptoken") or query.given.get("$deltatoken")
    state: dict[str, Any] = (
        _state(token) if token else {"since": 0, "skip": 0, "select": query.select, "epoch": tenant.delta_epoch}
    )
    if state["epoch"] != tenant.delta_epoch:
        return _expired(tenant, request)
    if not state["skip"]:
        state["until"] = tenant.sequence
    objects = _changes(tenant, state)
    size = min(page_size, 100)
    skip = state["skip"]
    # Pages are numbered from 0; the second is empty.
    start = skip - size if skip > size else skip
    chosen = [] if skip == size else objects[start : start + size]
    ended = skip != size and start + size >= len(objects)
    following = {**state, "skip": skip + size}
    if ended:
        following = {"since": state["until"], "skip": 0, "select": state["select"], "epoch": state["epoch"]}
    name, word = ("deltaLink", "$deltatoken") if ended else ("nextLink", "$skiptoken")
    link = f"{request.base}/{request.version}{request.path}?{word}={quote(_token(following))}"
    return Reply(200, {"@odata.context": context(request), "value": chosen, f"@odata.{name}": link})


def _changes(tenant: SimulatedTenant, state: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a round brings, in order: changed groups, removed groups, and the first of them again."""
    since, until = state["since"], state["until"]
    wanted = {*state["select"], "id"}
    found: list[dict[str, Any]] = []
    for group in tenant.listed("groups"):
        if since < tenant.changed.get(("groups", str(group["id"])), 0) <= until:
            if state["select"]:
                found.append({key: value for key, value in group.items() if key in wanted})
            else:  # who does not select is sent the members, too
                found.append({**_shown(group), "members@delta": group.get("members", [])})
    for (kind, id_), (sequence, reason) in tenant.removed.items():
        if kind == "groups" and since < sequence <= until:
            found.append({"id": id_, "@removed": {"reason": reason}})
    return found + found[:1]


def _expired(tenant: SimulatedTenant, request: Request) -> Reply:
    if tenant.delta_ends_with == 410:
        location = f"{request.base}/{request.version}{request.path}?$deltatoken="
        raise GraphError(410, "resyncRequired", "Resync required.", {"Location": location})
    raise GraphError(400, "syncStateNotFound", "The sync state generation is not found.")


def _token(state: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(dict(state)).encode()).decode().rstrip("=")


def _state(token: str) -> dict[str, Any]:
    try:
        state = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        return {"since": int(state["since"]), "skip": int(state["skip"]), **state}
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise GraphError(400, "Request_BadRequest", "Invalid delta token.") from None
