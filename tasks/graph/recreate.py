"""The requests that make an object of any kind, change one to what a body says, and assign it. Nothing is sent here.

A body is that of the tenant that it is for: the caller has replaced the ids of other objects in it. Sources of the rules
of a kind: Microsoft's documents of beta, Micke-K/IntuneManagement (EndpointManager.psm1), almenscorner/IntuneCD.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from tasks.graph.places import NO_ID
from tasks.graph.recreate_parts import PARTS, Whole, Write, without_ids
from tasks.graph.resource import GraphResource
from tasks.graph.resources import BY_NAME
from tasks.graph.sendable import GRAPH_URL, entity, link, sendable

__all__ = ["GRAPH_URL", "NOT_GIVEN_BACK", "Write", "assign", "change", "creation", "sendable"]

#: What an object that was made has otherwise than the body says, as (kind, property, why).
NOT_GIVEN_BACK: Final = (
    ("managed_app_policies", "apps", "of a group of apps: Graph gives those that it has in the group now"),
)

#: What the parameters of createInstance are, beside the settings. An action refuses others.
_INSTANCE: Final = ("displayName", "description", "roleScopeTagIds")
#: Properties that a POST refuses and a PATCH takes.
_CHANGED_ONLY: Final[Mapping[str, tuple[str, ...]]] = {"notification_templates": ("description",)}
#: What exports of almenscorner/IntuneCD add to a target about the group.
_ABOUT_THE_GROUP: Final = ("groupName", "groupType", "membershipRule")
_FILTER: Final = "deviceAndAppManagementAssignmentFilter"


def creation(
    kind: GraphResource, body: Mapping[str, Any], graph_url: str = GRAPH_URL, *, tokens: bool = False
) -> list[Write]:
    """The writes that make an object, in the order in which they must be sent: first the object, then its parts.

    In the paths of the parts, `{id}` stands for the id that the answer to the first has. Raises ValueError for a body
    with a masked secret, or one that does not say what Graph needs to know. `tokens` is as in `sendable`.
    """
    if kind.create.path:
        return [_instance(kind, body)]
    path = _collection(kind, body)
    made = sendable(kind, body, graph_url, tokens=tokens)
    if kind.name == "role_assignments":
        made |= _role(body, graph_url)
    first = Write("POST", path, made, "", repeatable=False)
    whole = Whole(kind, body, f"{path}/{{id}}", None, graph_url)
    parts = (write for name in kind.create.afterwards for write in PARTS[name](whole))
    return [first, *_refused_at_first(kind, body, f"{path}/{{id}}"), *parts]


def _refused_at_first(kind: GraphResource, body: Mapping[str, Any], path: str) -> list[Write]:
    """The writes of properties that a POST refuses. They come before the parts: what goes wrong there is mended by a change,
    which counts them as part of the object.
    """
    keys = [key for key in _CHANGED_ONLY.get(kind.name, ()) if body.get(key)]
    return [Write("PATCH", path, {key: body[key]}, key, repeatable=True) for key in keys]


def change(
    kind: GraphResource,
    body: Mapping[str, Any],
    target: Mapping[str, Any],
    graph_url: str = GRAPH_URL,
    *,
    tokens: bool = False,
) -> list[Write]:
    """The writes that make the object `target` what `body` says, in their order. `target` is whole, as Graph gave it.

    What is fixed at creation is left out. A part that the body does not have was not read: it is left alone. Raises
    ValueError as `creation` does, and for a body of another type than the target's.
    """
    made = sendable(kind, body, graph_url, tokens=tokens)
    made |= {key: body[key] for key in _CHANGED_ONLY.get(kind.name, ()) if key in body}
    made = {key: value for key, value in made.items() if key not in kind.update.without}
    if kind.create.typed and (type_ := _type(kind, body, target)):
        made["@odata.type"] = type_
    if kind.name == "role_assignments" and _id(target.get("roleDefinition")) != _id(body.get("roleDefinition")):
        made |= _role(body, graph_url)
    path = kind.item_path(target)
    whole = Whole(kind, body, path, target, graph_url)
    parts = dict.fromkeys((*kind.create.afterwards, *(name for name, _, _ in kind.update.actions)))
    first = Write(kind.update.method, path, made, "", repeatable=True)
    return [first, *(write for name in parts for write in PARTS[name](whole))]


def assign(kind: GraphResource, item: Mapping[str, Any], assignments: Sequence[Mapping[str, Any]]) -> Write | None:
    """The write that replaces the set of assignments of `item` (its `id` and `@odata.type`); None if the kind has none.

    Raises ValueError for an assignment that a policy set made: sent, it would become a direct one.
    """
    if kind.assign is None:
        return None
    sent = [_assignment(one) for one in assignments]
    return Write("POST", f"{kind.item_path(item)}/assign", {kind.assign: sent}, "assignments", repeatable=True)


def _instance(kind: GraphResource, body: Mapping[str, Any]) -> Write:
    """An intent is made of its template, with the settings that differ from it."""
    template = body.get("templateId")
    if not isinstance(template, str) or not template:
        raise ValueError(f"{kind.name}: the body names no template")
    made: dict[str, Any] = {key: body[key] for key in _INSTANCE if key in body}
    made["settingsDelta"] = without_ids(body.get("settings"))
    path = kind.create.path.replace("{templateId}", quote(template, safe=""))
    return Write("POST", path, made, "", repeatable=False)


def _collection(kind: GraphResource, body: Mapping[str, Any]) -> str:
    """The path that objects of the body's type are made at."""
    return kind.item_path({**body, "id": ""}).removesuffix("/")


def _type(kind: GraphResource, body: Mapping[str, Any], target: Mapping[str, Any]) -> Any:
    """The type of both. Raises ValueError if they differ: an object keeps its type."""
    given, there = body.get("@odata.type"), target.get("@odata.type")
    if given and there and str(given).lower() != str(there).lower():
        raise ValueError(f"{kind.name}: the body is of another type than the object")
    return given or there


def _role(body: Mapping[str, Any], graph_url: str) -> dict[str, Any]:
    """The bind of the role that an assignment gives; nothing if the body does not have it."""
    role = body.get("roleDefinition")
    path = BY_NAME["role_definitions"].path
    return {"roleDefinition@odata.bind": link(path, role, graph_url)} if isinstance(role, Mapping) and _id(role) else {}


def _id(value: object) -> Any:
    return value.get("id") if isinstance(value, Mapping) else None


def _assignment(assignment: Mapping[str, Any]) -> dict[str, Any]:
    if assignment.get("source") == "policySets":
        raise ValueError("an assignment comes from a policy set")
    made = entity(assignment, "source", "sourceId")
    if isinstance(made.get("target"), dict):
        made["target"] = _target(made["target"])
    return made


def _target(target: Mapping[str, Any]) -> dict[str, Any]:
    """A target without what is no part of it, and without a filter that means "none": exclusions refuse even that."""
    made = {key: value for key, value in target.items() if key not in _ABOUT_THE_GROUP}
    if made.get(f"{_FILTER}Id") in (None, "", NO_ID) or made.get(f"{_FILTER}Type") in (None, "none"):
        made.pop(f"{_FILTER}Id", None)
        made.pop(f"{_FILTER}Type", None)
    return made
