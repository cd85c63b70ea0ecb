"""Answers requests for the definitions of administrative templates: they are only read."""

from __future__ import annotations

from typing import Final

from tasks.graph.resources import BY_NAME
from tasks.graph.simulator.definitions import definitions_of, presentations_of
from tasks.graph.simulator.query import Query
from tasks.graph.simulator.reading import context, page, require
from tasks.graph.simulator.request import GraphError, Reply, Request
from tasks.graph.simulator.tenants import SimulatedTenant

_PATH: Final = ["devicemanagement", "grouppolicydefinitions"]
_KIND: Final = BY_NAME["administrative_templates"]


def concerns(request: Request) -> bool:
    """Whether a request is for definitions. v1.0 does not have them."""
    return request.version == "beta" and [part.lower() for part in request.parts[:2]] == _PATH


def respond(tenant: SimulatedTenant, request: Request, page_size: int) -> Reply:
    """The list of all definitions, one of them, or the presentations of one. Raises GraphError."""
    if request.method != "GET":
        raise GraphError(405)
    require(tenant, _KIND.read_permission, _KIND.write_permission)
    query, there = Query.parse(request.query), definitions_of(tenant)
    match request.parts[2:]:
        case []:
            query.check(("$select", "$filter", "$top"))
            answer = page(request, query, query.selected(list(there.values())), query.top or page_size)
            return Reply(200, {**answer, "value": [query.cut(one, ("id",)) for one in answer["value"]]})
        case [id_] if id_ in there:
            query.check(("$select",))
            return Reply(200, {"@odata.context": context(request), **query.cut(there[id_], ("id",))})
        case [id_, part] if id_ in there and part.lower() == "presentations":
            query.check(("$top",))
            return Reply(200, page(request, query, presentations_of(tenant, id_), query.top or 25))
    raise GraphError(404, "ResourceNotFound", "The definition was not found.")
