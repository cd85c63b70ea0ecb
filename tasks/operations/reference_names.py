"""The names of what policies refer to, as a backup keeps them: ids alone mean nothing in another tenant, or to a person
once the object is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from store.errors import OperationFailed
from store.intune.backup_records import ItemReference
from tasks.graph.resource import GraphResource
from tasks.graph.resources import BY_NAME, name_of

if TYPE_CHECKING:
    from tasks.graph.client import GraphClient

GROUPS: Final = "groups"
#: The id and the name of a template stand in the policy itself.
TEMPLATES: Final = "templates"
_ONE: Final = {"groups": "group", "assignment_filters": "filter", "scope_tags": "scope tag"}
#: What every tenant has, whether a list shows it or not.
_BUILT_IN: Final[Mapping[str, Mapping[str, str]]] = {"scope_tags": {"0": "Default"}}


@dataclass
class ReferenceNames:
    """Names of groups and of objects of every kind, asked for once a run."""

    graph: GraphClient
    #: The names that the cached directory has for groups, for when Graph does not give them.
    cached: Callable[[Collection[str]], Mapping[str, str]]
    say: Callable[[str], None]
    #: By kind, then by id in lower case; None for what is surely not there any more.
    _known: dict[str, dict[str, str | None]] = field(default_factory=dict)
    #: Kinds of which all names are known: what has none is not there.
    _complete: set[str] = field(default_factory=set)
    #: What was told to be unreadable.
    _said: set[str] = field(default_factory=set)

    def references(
        self, objects: Iterable[tuple[GraphResource, Mapping[str, Any], Iterable[Any]]]
    ) -> list[list[ItemReference]]:
        """What each of these objects (kind, body, assignments) refers to, each once, with names."""
        found = [_ids(*one) for one in objects]
        wanted: dict[str, set[str]] = {}
        for one in found:
            for (kind, id_), name in one.items():
                if name is None:
                    wanted.setdefault(kind, set()).add(id_.lower())
        for kind, ids in wanted.items():
            self._learn(kind, ids)
        return [
            [ItemReference(kind, id_, name or self._name(kind, id_)) for (kind, id_), name in one.items()]
            for one in found
        ]

    def lost(self, references: Iterable[ItemReference]) -> list[str]:
        """Which of these are surely not there any more, in words."""
        return [f"{_word(one.kind)} {one.id} is not there any more" for one in references if self._is_lost(one)]

    def _is_lost(self, one: ItemReference) -> bool:
        known = self._known.get(one.kind, {})
        return one.name is None and (one.kind in self._complete or known.get(one.id.lower(), "") is None)

    def _name(self, kind: str, id_: str) -> str | None:
        return self._known.get(kind, {}).get(id_.lower())

    def _learn(self, kind: str, ids: Collection[str]) -> None:
        known = self._known.get(kind)
        if kind == GROUPS:
            self._learn_groups([id_ for id_ in ids if known is None or id_ not in known])
        elif known is None and kind in BY_NAME:
            self._learn_kind(BY_NAME[kind])

    def _learn_kind(self, kind: GraphResource) -> None:
        names: dict[str, str | None] = dict(_BUILT_IN.get(kind.name, {}))
        self._known[kind.name] = names
        try:
            for page in self.graph.pages(kind.path):
                names |= {str(item["id"]).lower(): name_of(item) for item in page if item.get("id")}
            self._complete.add(kind.name)
        except OperationFailed as error:
            self._give_up(kind.label, error)

    def _learn_groups(self, ids: Collection[str]) -> None:
        from tasks.graph import batch

        names = self._known.setdefault(GROUPS, {})
        readings = [batch.Reading(id_, f"/groups/{quote(id_, safe='')}?$select=id,displayName") for id_ in sorted(ids)]
        unread: dict[str, OperationFailed] = {}
        for reading, answer in batch.read(self.graph, readings):
            if not isinstance(answer, OperationFailed):
                names[reading.key] = str(answer.get("displayName") or "")
            elif answer.failure_code == "graph.not_found":
                names[reading.key] = None
            else:
                unread[reading.key] = answer
        if unread:
            self._give_up("groups", next(iter(unread.values())))
            names |= {id_.lower(): name for id_, name in self.cached(list(unread)).items()}

    def _give_up(self, what: str, error: OperationFailed) -> None:
        if error.failure_code == "graph.unauthorized":
            raise error
        if what not in self._said:
            self._said.add(what)
            self.say(f"the names of {what} could not be read: {error.message}")


def _word(kind: str) -> str:
    return _ONE.get(kind) or (BY_NAME[kind].label if kind in BY_NAME else kind)


def _ids(kind: GraphResource, body: Mapping[str, Any], assignments: Iterable[Any]) -> dict[tuple[str, str], str | None]:
    """Ids by kind, with the names that stand beside them."""
    from tasks.graph.places import references_of

    found: dict[tuple[str, str], str | None] = {}
    for reference, id_ in references_of(kind, {**body, "assignments": list(assignments)}):
        found.setdefault((reference.to, id_), None)
    values = [one for value in body.values() for one in (value if isinstance(value, list) else [value])]
    for value in values:  # a certificate profile that the body is linked to
        if isinstance(value, dict) and isinstance(value.get("id"), str) and isinstance(value.get("displayName"), str):
            for to in [to for to, id_ in found if id_ == value["id"]]:
                found[to, value["id"]] = value["displayName"]
    template = body.get("templateReference")
    if isinstance(template, dict) and isinstance(template.get("templateId"), str) and template["templateId"]:
        found[TEMPLATES, template["templateId"]] = str(template.get("templateDisplayName") or "") or None
    return found
