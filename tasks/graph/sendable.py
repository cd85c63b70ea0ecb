"""The body of an object as Graph takes it in a write: without what only Graph sets, with links as binds.

A property that nobody knows stays word for word. `id`, `version` and the like are read-only in the object itself and in
the parts that are entities of their own (rules of compliance, apps); at any other depth they are the policy's content,
as they are for the canonical form.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Final

from tasks.graph.canonical import bare
from tasks.graph.clouds import GLOBAL
from tasks.graph.places import find
from tasks.graph.resource import GraphResource
from tasks.graph.resources import BY_NAME, READ_ONLY
from tasks.graph.versions import versioned

#: Graph's address without a version: what binds begin with. National clouds have others (clouds.py).
GRAPH_URL: Final = GLOBAL.graph_url
#: How Graph masks the value of an OMA setting.
_MASK: Final = "****"
#: The state of a secret of which Graph gave only a token; the token is worth nothing in another tenant.
_TOKEN_STATE: Final = "encryptedValueToken"  # noqa: S105 (a state)
#: The actions for non-compliance; they and their elements are entities: Graph gives each an id.
_RULES: Final = "scheduledActionsForRule"
_ENTITIES: Final = (f"{_RULES}[]", f"{_RULES}[].scheduledActionConfigurations[]")
#: Lists that Graph gives as null and takes only as lists (almenscorner/IntuneCD#256).
_LISTS: Final = (
    _RULES,
    f"{_RULES}[].scheduledActionConfigurations",
    f"{_RULES}[].scheduledActionConfigurations[].notificationMessageCCList",
)


def sendable(
    kind: GraphResource, body: Mapping[str, Any], graph_url: str = GRAPH_URL, *, tokens: bool = False
) -> dict[str, Any]:
    """The body of a POST that makes the object, without the parts that are sent by requests of their own.

    `body` is for the tenant that it is sent to: the ids of other objects in it are that tenant's. It is not changed.
    Raises ValueError for a secret that is masked, or of which there is only a token: Graph would keep the mask. With
    `tokens` such a token is sent as it is: the tenant that gave it takes it back.
    """
    made = bare(copy.deepcopy(dict(body)))
    _check_secrets(kind, made, tokens)
    for name in (*READ_ONLY, *kind.strip, *kind.create.afterwards):
        made.pop(name, None)
    _bind_links(kind, made, graph_url)
    for place in (*kind.volatile, "settings[].id", "**.secretReferenceValueId"):
        for container, key in find(made, place):
            del container[key]
    _clean_rules(made)
    for container, key in find(made, "omaSettings[].isEncrypted"):
        container[key] = False  # the plain value is sent; Graph encrypts it by itself
    if made.get("priorityMetaData", 0) is None:  # refused as null (Micke-K/IntuneManagement)
        del made["priorityMetaData"]
    return made


def rules_of(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The actions for non-compliance of a body as Graph takes them; none if they are null or were not read."""
    made: dict[str, Any] = {_RULES: copy.deepcopy(body.get(_RULES))}
    _clean_rules(made)
    rules: list[dict[str, Any]] = made[_RULES]
    return rules


def entity(part: Mapping[str, Any], *without: str) -> dict[str, Any]:
    """A part that is an entity, without what only Graph sets and without `without`."""
    return {
        key: copy.deepcopy(value) for key, value in bare(part).items() if key not in READ_ONLY and key not in without
    }


def bind(path: str, graph_url: str = GRAPH_URL) -> str:
    """The full URL by which a body refers to the object at a path without a version."""
    return f"{graph_url.rstrip('/')}{versioned(path)}"


def _check_secrets(kind: GraphResource, body: Mapping[str, Any], tokens: bool) -> None:
    """Raise ValueError if a secret is masked, or is a token and no `tokens` are sent. Take out those that Graph never gives
    back: null would clear them.
    """
    for container, _ in find(body, "omaSettings[].value"):
        if container["value"] == _MASK:
            raise ValueError(f"{kind.name}: a value of omaSettings is masked")
    for place in kind.secrets:
        for container, key in find(body, place):
            is_token = container.get("valueState") == _TOKEN_STATE
            if container[key] == _MASK or (is_token and not tokens):
                raise ValueError(f"{kind.name}: a secret at {place.path} is masked")
            if container[key] is None:
                del container[key]


def _bind_links(kind: GraphResource, body: dict[str, Any], graph_url: str) -> None:
    """Turn references to objects into binds: certificate profiles, and the role and scope tags of a role assignment."""
    for child in kind.children:
        if child.of_types and child.key in body:
            _bind(body, child.key, kind.path, graph_url)
    if kind.name == "role_assignments":
        _bind(body, "roleScopeTags", BY_NAME["scope_tags"].path, graph_url)


def _bind(body: dict[str, Any], key: str, path: str, graph_url: str) -> None:
    value = body.get(key)
    if isinstance(value, list) and all(_has_id(one) for one in value):
        bound: str | list[str] = [link(path, one, graph_url) for one in value]
    elif _has_id(value):
        bound = link(path, value, graph_url)
    else:
        if value is None:  # a navigation property is never sent as null
            body.pop(key, None)
        return
    del body[key]
    if bound:
        body[f"{key}@odata.bind"] = bound


def link(path: str, target: Any, graph_url: str = GRAPH_URL) -> str:
    """The bind of an object of a collection, from its `id`."""
    return bind(f"{path}('{target['id']}')", graph_url)


def _has_id(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("id"), str)


def _clean_rules(body: dict[str, Any]) -> None:
    for place in _LISTS:
        for container, key in find(body, place):
            container[key] = [] if container[key] is None else container[key]
    for place in _ENTITIES:
        for container, index in find(body, place):
            if isinstance(container[index], dict):
                container[index] = entity(container[index])
