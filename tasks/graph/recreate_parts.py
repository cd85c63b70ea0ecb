"""The requests for what of an object is not written with it: rules, target apps, values of administrative templates,
messages, settings of intents.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from tasks.graph.client import Method
from tasks.graph.resource import GraphResource
from tasks.graph.sendable import bind, entity, rules_of

_DEFINITIONS: Final = "/deviceManagement/groupPolicyDefinitions"
_MESSAGES: Final = "localizedNotificationMessages"
#: The one choice of target apps that has a list; every other names a group of apps.
_CHOSEN: Final = "selectedPublicApps"


@dataclass(frozen=True, slots=True)
class Write:
    """A request that makes or changes an object, or a part of it."""

    method: Method
    #: Without a version. `{id}` stands for the id of the object that the first write makes.
    path: str
    #: Empty for DELETE.
    body: Mapping[str, Any]
    #: What of the object is written; empty for the object itself. Each write of an object has another.
    part: str
    #: It may be sent again after a lost answer, without doubling anything.
    repeatable: bool


@dataclass(frozen=True, slots=True)
class Whole:
    """An object whose parts are written."""

    kind: GraphResource
    body: Mapping[str, Any]
    #: Its path; ends with `{id}` while it is being made.
    path: str
    #: As it is in the tenant; None while it is being made.
    target: Mapping[str, Any] | None
    graph_url: str


def without_ids(elements: object) -> list[dict[str, Any]]:
    """The parts of a body without what only Graph sets."""
    return [entity(one) for one in _dicts(elements)]


def _dicts(value: object) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _action(whole: Whole, part: str, elements: list[dict[str, Any]], **more: Any) -> Write:
    """The write that replaces a part, by the action that the table of kinds names."""
    action, key = next((action, key) for name, action, key in whole.kind.update.actions if name == part)
    return Write("POST", f"{whole.path}/{action}", {key: elements, **more}, part, repeatable=True)


def _rules(whole: Whole) -> list[Write]:
    """The actions for non-compliance. A body has none if they were not read; Graph refuses a policy without any."""
    rules = rules_of(whole.body)
    return [_action(whole, "scheduledActionsForRule", rules)] if rules else []


def _apps(whole: Whole) -> list[Write]:
    """The target apps: the list of them, or the group with an empty list (Micke-K/IntuneManagement#67). An empty list is
    sent because the action refuses a body without one (microsoft/Microsoft365DSC#5968).
    """
    group, apps = whole.body.get("appGroupType"), whole.body.get("apps")
    named = isinstance(group, str) and group != _CHOSEN
    if not named and not isinstance(apps, list):
        return []
    more = {"appGroupType": group} if group else {}
    return [_action(whole, "apps", [] if named else without_ids(apps), **more)]


def _values(whole: Whole) -> list[Write]:
    """The values of an administrative template, in one request: those that are there are deleted, the body's are added.

    It may not be sent again: a value that is there already is no other object.
    """
    given, there = whole.body.get("definitionValues"), (whole.target or {}).get("definitionValues")
    if not isinstance(given, list):
        return []
    added = [_value(one, whole.graph_url) for one in _dicts(given)]
    deleted = [one["id"] for one in _dicts(there) if "id" in one]
    if not added and not deleted:
        return []
    body = {"added": added, "updated": [], "deletedIds": deleted}
    return [Write("POST", f"{whole.path}/updateDefinitionValues", body, "definitionValues", repeatable=False)]


def _value(value: Mapping[str, Any], graph_url: str) -> dict[str, Any]:
    """A value, bound to its definition. Exports have it bound already. Raises ValueError if it does not say to which."""
    made = entity(value, "definition", "presentationValues")
    definition = value.get("definition")
    if isinstance(definition, Mapping) and "id" in definition:
        made["definition@odata.bind"] = bind(f"{_DEFINITIONS}('{definition['id']}')", graph_url)
    bound = made.get("definition@odata.bind")
    if not bound:
        raise ValueError("administrative_templates: a value does not say which definition it is for")
    if isinstance(value.get("presentationValues"), list):
        made["presentationValues"] = [
            shown for one in _dicts(value["presentationValues"]) if (shown := _presentation(one, str(bound)))
        ]
    return made


def _presentation(value: Mapping[str, Any], definition: str) -> dict[str, Any] | None:
    """A value of an element of a definition; None if it does not say of which: null is refused (CyberDrain/CIPP#1110)."""
    made = entity(value, "presentation")
    presentation = value.get("presentation")
    if isinstance(presentation, Mapping) and "id" in presentation:
        made["presentation@odata.bind"] = f"{definition}/presentations('{presentation['id']}')"
    return made if made.get("presentation@odata.bind") else None


def _messages(whole: Whole) -> list[Write]:
    """The messages, the default one last. A message in a language that is there is changed; one in a language that the body
    does not have is deleted, after the default is another.
    """
    given = whole.body.get(_MESSAGES)
    if not isinstance(given, list):
        return []
    there = {_locale(one): one for one in _dicts((whole.target or {}).get(_MESSAGES))}
    messages = sorted(_dicts(given), key=lambda one: one.get("isDefault") is True)
    writes = [_message(whole, one, there.get(_locale(one))) for one in messages]
    kept = {_locale(one) for one in messages}
    gone = [one for locale, one in there.items() if locale not in kept]
    return writes + [Write("DELETE", _path_of(whole, one), {}, f"{_MESSAGES}:{_locale(one)}", True) for one in gone]


def _message(whole: Whole, message: Mapping[str, Any], there: Mapping[str, Any] | None) -> Write:
    made, part = entity(message), f"{_MESSAGES}:{_locale(message)}"
    if there is None:
        return Write("POST", f"{whole.path}/{_MESSAGES}", made, part, repeatable=False)
    # That a message is the default can only be set; it ends when another becomes it (Microsoft's documents).
    fixed = ("locale",) if message.get("isDefault") is True else ("locale", "isDefault")
    return Write("PATCH", _path_of(whole, there), entity(message, *fixed), part, repeatable=True)


def _path_of(whole: Whole, message: Mapping[str, Any]) -> str:
    return f"{whole.path}/{_MESSAGES}/{quote(str(message['id']), safe='')}"


def _locale(message: Mapping[str, Any]) -> str:
    return str(message.get("locale", "")).lower()


def _settings(whole: Whole) -> list[Write]:
    """The settings of an intent that is there. Each has the id that it has there, by its definition."""
    if not isinstance(whole.body.get("settings"), list):
        return []
    there = {one.get("definitionId"): one.get("id") for one in _dicts((whole.target or {}).get("settings"))}
    settings = without_ids(whole.body["settings"])
    known = [{"id": id_, **one} if (id_ := there.get(one.get("definitionId"))) else one for one in settings]
    return [_action(whole, "settings", known)]


#: The writes of a part, by its key in the body.
PARTS: Final[Mapping[str, Callable[[Whole], list[Write]]]] = {
    "scheduledActionsForRule": _rules,
    "apps": _apps,
    "definitionValues": _values,
    _MESSAGES: _messages,
    "settings": _settings,
}
