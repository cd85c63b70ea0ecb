"""Answers GET requests for objects of Intune: lists in pages, single objects, and the parts that have paths of their own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlencode

from tasks.graph.resources import BY_NAME
from tasks.graph.simulator.collections import BY_PATH, LINKS, Collection
from tasks.graph.simulator.query import Query, token_of
from tasks.graph.simulator.request import GraphError, Reply, Request
from tasks.graph.simulator.tenants import SimulatedTenant
from tasks.graph.simulator.views import masked, part, secret_reference, shown

#: Objects a page at most.
MAX_TOP: Final = 1000
_LIST_OPTIONS: Final = ("$select", "$filter", "$expand", "$top", "$count")
_INTENTS: Final = "/devicemanagement/intents"
_PLAIN: Final = re.compile(r"getOmaSettingPlainTextValue\(secretReferenceValueId='([^']*)'\)", re.IGNORECASE)


def find_collection(request: Request) -> tuple[Collection, list[str]]:
    """The collection that a path begins with, and the segments after it. Raises GraphError (404), also for a path that
    exists in another version only.
    """
    parts = request.parts
    collection = BY_PATH.get(_INTENTS if is_template(request) else "/" + "/".join(parts[:2]).lower())
    if collection is None or (request.version == "v1.0" and not collection.v1):
        raise GraphError(404, "ResourceNotFound", f"Resource not found for the segment '{parts[-1]}'.")
    return collection, parts[2:]


def is_template(request: Request) -> bool:
    """Whether it asks for an intent to be made of a template: that has a path of its own."""
    parts = [part.lower() for part in request.parts]
    return len(parts) == 4 and parts[:2] == ["devicemanagement", "templates"] and parts[3] == "createinstance"


def items_of(tenant: SimulatedTenant, collection: Collection) -> list[dict[str, Any]]:
    """The objects that a path has, whole."""
    items = tenant.listed(collection.kind)
    if collection.of_type:
        return [item for item in items if str(item.get("@odata.type", "")).lower().endswith(collection.of_type)]
    return items


def find_item(tenant: SimulatedTenant, collection: Collection, id_: str) -> dict[str, Any]:
    """One object, whole. Raises GraphError (404)."""
    found = next((item for item in items_of(tenant, collection) if str(item["id"]).lower() == id_.lower()), None)
    if found is None:
        raise GraphError(404, "ResourceNotFound", f"{collection.path.rpartition('/')[2]} '{id_}' was not found.")
    return found


def get(tenant: SimulatedTenant, request: Request, page_size: int) -> Reply:
    """The reply to a GET. Raises GraphError."""
    collection, rest = find_collection(request)
    query = Query.parse(request.query)
    if not rest:
        return Reply(200, _list(tenant, collection, request, query, page_size))
    item = find_item(tenant, collection, rest[0])
    if len(rest) == 1:
        query.check(("$select", "$expand"))
        expand = query.expanded(collection.item_expands)
        seen = shown(collection, item, request.version, expand, listed=False)
        query.selected([seen], collection.navigation)
        return Reply(200, {"@odata.context": context(request), **query.cut(seen, ("id", *expand))})
    return _below(tenant, collection, item, rest[1:], request, query)


def _list(
    tenant: SimulatedTenant, collection: Collection, request: Request, query: Query, page_size: int
) -> dict[str, Any]:
    query.check(option for option in _LIST_OPTIONS if not (option == "$filter" and collection.no_filter))
    expand = query.expanded(collection.list_expands)
    items = items_of(tenant, collection)
    if query.filter or query.select:
        seen = [shown(collection, item, request.version, {}, listed=True) for item in items]
        known = (*collection.navigation, *collection.absent, "isBuiltIn", "isAssigned")
        chosen = {item["id"] for item in query.selected(seen, known)}
        items = [item for item in items if item["id"] in chosen]
    answer = page(request, query, items, query.top or collection.page or page_size)
    # What a list leaves out comes if it is selected by name.
    asked = {name.lower() for name in query.select}
    full = replace(collection, absent=tuple(name for name in collection.absent if name.lower() not in asked))
    # Intune gives the id whatever is selected: almenscorner/IntuneCD relies on it.
    keep = ("id", *expand, *(f"{name}@odata.context" for name in expand))
    answer["value"] = [
        query.cut(shown(full, item, request.version, expand, listed=True), keep) for item in answer["value"]
    ]
    return answer


def _below(
    tenant: SimulatedTenant,
    collection: Collection,
    item: dict[str, Any],
    rest: list[str],
    request: Request,
    query: Query,
) -> Reply:
    name = next((known for known in collection.routes if known.lower() == rest[0].lower()), "")
    if name and len(rest) == 1:
        return Reply(200, _parts(item, name, request, query, collection))
    if name and len(rest) == 3:  # definitionValues/{id}/presentationValues
        element = next((one for one in item.get(name) or [] if one.get("id") == rest[1]), None)
        inner = next((key for key in collection.nested.get(name, ()) if key.lower() == rest[2].lower()), "")
        if element is not None and inner:
            return Reply(200, _parts(element, inner, request, query, collection))
    if plain := _PLAIN.fullmatch(rest[0]):
        # The documents say that reading is enough; in practice a 403 asks for the permission to write.
        require(tenant, BY_NAME[collection.kind].write_permission)
        return _plain_value(item, plain[1])
    if rest[0].lower().startswith("microsoft.graph.") and len(rest) == 2:
        link = next((key for key in LINKS if key.lower() == rest[1].lower()), "")
        if isinstance(item.get(link), list):
            return Reply(200, page(request, query, item[link], query.top or 25))
        if item.get(link):
            return Reply(200, {"@odata.context": context(request), **item[link]})
    raise GraphError(404, "ResourceNotFound", f"Resource not found for the segment '{rest[-1]}'.")


def _parts(owner: dict[str, Any], name: str, request: Request, query: Query, collection: Collection) -> Any:
    query.check(("$expand", "$top", "$select"))
    query.expanded(collection.nested.get(name, ()))
    value = masked(part(owner, name, request.version, query), str(owner.get("id", "")))
    if value is None:
        value = []
    if not isinstance(value, list):
        return {"@odata.context": context(request), **(value or {})}
    return page(request, query, value, query.top or 25)


def require(tenant: SimulatedTenant, *permissions: str) -> None:
    """Raise GraphError (403) unless the app has one of the permissions."""
    if not any(map(tenant.allows, permissions)):
        raise GraphError(
            403,
            "Forbidden",
            "Application is not authorized to perform this operation. Application must have one of the following"
            f" scopes: {', '.join(permissions)}",
        )


def _plain_value(item: dict[str, Any], reference: str) -> Reply:
    settings: Sequence[dict[str, Any]] = item.get("omaSettings") or []
    for setting in settings:
        known = setting.get("secretReferenceValueId") or secret_reference(str(item["id"]), setting)
        if known == reference and setting.get("value") != "****":
            return Reply(200, {"value": setting.get("value")})
    raise GraphError(404, "ResourceNotFound", "The secret was not found.")


def page(request: Request, query: Query, items: Sequence[Any], size: int) -> dict[str, Any]:
    """One page of a collection, as a body: with the link to the next."""
    if size > MAX_TOP:
        raise GraphError(400, "BadRequest", f"The limit of '{MAX_TOP}' for Top query has been exceeded.")
    end = query.skip + size
    answer: dict[str, Any] = {"@odata.context": context(request), "value": list(items[query.skip : end])}
    if query.count:
        answer["@odata.count"] = len(items)
    if end < len(items):
        rest = {name: value for name, value in query.given.items() if name != "$skiptoken"}
        link = urlencode({**rest, "$skiptoken": token_of(end)}, safe="$")
        answer["@odata.nextLink"] = f"{request.base}/{request.version}{request.path}?{link}"
    return answer


def context(request: Request) -> str:
    """The absolute URL that says what a body is."""
    return f"{request.base}/{request.version}/$metadata#{request.path.strip('/')}"
