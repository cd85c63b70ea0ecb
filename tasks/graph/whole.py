"""Reads objects of a kind whole: contents, parts and assignments, as the table of kinds says where each is
(tasks/graph/resources.py).

A list leaves much out, so most of an object comes from requests of its own, 20 in a batch. What Graph answered and yet
did not give (a masked secret, a content that is null) is a gap of the object, known then and there. What could not be
read is the failure of that object; the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import quote

from store.errors import OperationFailed
from tasks.graph import batch
from tasks.graph.answers import Refused
from tasks.graph.batch import Reading
from tasks.graph.client import GraphClient
from tasks.graph.places import find
from tasks.graph.resource import Child, GraphResource

#: Objects that are read whole together: enough for full batches, few enough for memory.
CHUNK: Final = 100
_NEXT: Final = "@odata.nextLink"
_MASK: Final = "****"

GapCode = Literal["content_missing", "assignments_unknown", "reference_lost", "secret_unreadable"]


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that Graph did not give of an object."""

    code: GapCode
    #: What is missing, in words, such as `settings: 50 of 61`.
    detail: str


@dataclass(slots=True)
class WholeObject:
    """An object as far as it could be read."""

    #: As the list shows it.
    listed: dict[str, Any]
    #: With its parts, without its assignments.
    body: dict[str, Any]
    #: None: they could not be read. Never empty for that reason.
    assignments: list[dict[str, Any]] | None = None
    gaps: list[Gap] = field(default_factory=list)
    #: Why it could not be read; the body is then not to be used.
    failure: OperationFailed | None = None
    #: It was deleted while it was read.
    gone: bool = False


def read_whole(
    graph: GraphClient,
    kind: GraphResource,
    say: Callable[[str], None] = lambda text: None,
    wanted: Callable[[dict[str, Any]], bool] = lambda item: True,
) -> Iterator[list[WholeObject]]:
    """Read all objects of a kind, in chunks, or those of its list that are `wanted`. `say` is told once if Graph refused
    what is usually asked of the kind. Raises OperationFailed if the list cannot be read.
    """
    reader = _Reader(graph, kind, say)
    chunk: list[dict[str, Any]] = []
    for page in reader.pages():
        chunk += [item for item in page if item.get("id") and wanted(item)]
        while len(chunk) >= CHUNK:
            yield reader.complete(chunk[:CHUNK])
            chunk = chunk[CHUNK:]
    if chunk:
        yield reader.complete(chunk)


class _Reader:
    def __init__(self, graph: GraphClient, kind: GraphResource, say: Callable[[str], None]) -> None:
        self._graph = graph
        self._kind = kind
        self._say = say
        #: What the list comes with, and what a GET of one object is asked with; None: it is not asked for.
        self._list_expand = kind.list_expand
        self._item_expand = kind.item_expand

    def pages(self) -> Iterator[list[dict[str, Any]]]:
        """The list. If Graph refuses what it is to be expanded with, it comes without, and each object is asked for it."""
        try:
            yield from self._pages()
        except Refused as error:
            if error.status != 400 or not self._list_expand:
                raise
            self._say(f"{self._kind.label}: the list cannot be expanded any more: each object is read by itself")
            self._list_expand, self._item_expand = "", self._list_expand
            yield from self._pages()

    def _pages(self) -> Iterator[list[dict[str, Any]]]:
        parameters = {"$expand": self._list_expand} if self._list_expand else None
        yield from self._graph.pages(self._kind.path, parameters)

    def complete(self, listed: Sequence[dict[str, Any]]) -> list[WholeObject]:
        """The objects of a chunk of the list, whole."""
        objects = [WholeObject(self._without_parts(item), dict(item)) for item in listed]
        if self._item_expand is not None:
            self._read_items(objects)
        self._follow_links([one for one in objects if _usable(one)])
        self._read_assignments([one for one in objects if _usable(one)])
        self._read_children([one for one in objects if _usable(one)])
        for one in objects:
            if _usable(one):
                one.gaps += gaps_of(self._kind, one.body)
        return objects

    def _without_parts(self, item: Mapping[str, Any]) -> dict[str, Any]:
        parts = _names(self._kind.list_expand)
        return {key: value for key, value in item.items() if key.partition("@")[0] not in parts}

    # -- each object by itself ------------------------------------------------------------------------------------------

    def _read_items(self, objects: Sequence[WholeObject]) -> None:
        expand = self._item_expand or ""
        refused = self._ask(objects, f"?$expand={quote(expand, safe='$(),=')}" if expand else "")
        if refused:
            self._say(f"{self._kind.label}: objects cannot be expanded any more: their parts are read by themselves")
            self._item_expand = ""
            for one in self._ask(refused, ""):
                one.failure = OperationFailed("operation.error", "status 400")

    def _ask(self, objects: Sequence[WholeObject], query: str) -> list[WholeObject]:
        """GET each object. Returns those for which the query was refused."""
        refused: list[WholeObject] = []
        readings = [Reading(one, self._kind.item_path(one.listed) + query) for one in objects]
        for reading, answer in batch.read(self._graph, readings):
            one: WholeObject = reading.key
            if not isinstance(answer, OperationFailed):
                one.body = answer
            elif query and isinstance(answer, Refused) and answer.status == 400:
                refused.append(one)
            else:
                _fail(one, answer)
        return refused

    def _follow_links(self, objects: Sequence[WholeObject]) -> None:
        """Read the rest of parts that were expanded and did not fit in."""
        for one in objects:
            for key in [key for key in one.body if key.endswith(_NEXT)]:
                name = key.removesuffix(_NEXT)
                try:
                    url = self._graph.link(one.body.pop(key))
                    if url is not None and isinstance(one.body.get(name), list):
                        one.body[name] = one.body[name] + [
                            element for body in self._graph.bodies(url) for element in body["value"]
                        ]
                except OperationFailed as error:
                    _fail(one, error)

    # -- parts with paths of their own ----------------------------------------------------------------------------------

    def _read_assignments(self, objects: Sequence[WholeObject]) -> None:
        if self._kind.assign is None:
            for one in objects:
                one.assignments = []
            return
        unread: list[Reading] = []
        for one in objects:
            given = one.body.pop("assignments", None)
            if isinstance(given, list):
                one.assignments = given
            else:
                unread.append(Reading(one, f"{self._kind.item_path(one.listed)}/assignments", collection=True))
        for reading, answer in batch.read(self._graph, unread):
            found: WholeObject = reading.key
            if not isinstance(answer, OperationFailed):
                found.assignments = answer["value"]
            elif _permanent(answer):
                found.gaps.append(Gap("assignments_unknown", f"assignments: {answer.message}"))
            else:
                _fail(found, answer)

    def _read_children(self, objects: Sequence[WholeObject]) -> None:
        expanded = _names(self._list_expand) | _names(self._item_expand or "")
        for child in self._kind.children:
            owners = [(one, one.body, self._kind.item_path(one.listed)) for one in objects if _has(one.body, child)]
            self._read_child(child, owners)
        for name in (
            (_names(self._kind.list_expand) | _names(self._kind.item_expand or "")) - expanded - {"assignments"}
        ):
            for one in objects:
                if name not in one.body:
                    one.gaps.append(Gap("content_missing", f"{name}: refused by Graph"))

    def _read_child(self, child: Child, owners: Sequence[tuple[WholeObject, dict[str, Any], str]]) -> None:
        """Read a part of each of the owners into them, and then the parts of its elements."""
        below: list[tuple[WholeObject, dict[str, Any], str]] = []
        readings = [
            Reading((one, owner, path), path + _filled(child.path, owner), collection=not child.single)
            for one, owner, path in owners
        ]
        for reading, answer in batch.read(self._graph, readings):
            one, owner, path = reading.key
            if isinstance(answer, OperationFailed):
                self._miss(one, child, answer)
            elif child.single:
                owner[child.key] = {key: answer[key] for key in ("@odata.type", "id", "displayName") if key in answer}
            else:
                owner[child.key] = answer["value"]
                if child.children:
                    plain = child.path.partition("?")[0]
                    elements = [element for element in answer["value"] if "id" in element]
                    below += [(one, element, f"{path}{plain}/{element['id']}") for element in elements]
        for inner in child.children:
            self._read_child(inner, below)

    def _miss(self, one: WholeObject, child: Child, error: OperationFailed) -> None:
        if child.single and isinstance(error, Refused) and error.status == 404:
            return  # the profile has no such certificate
        if child.single and _permanent(error):
            one.gaps.append(Gap("reference_lost", f"{child.key}: {error.message}"))
        elif _permanent(error) and error.failure_code != "graph.not_found":
            one.gaps.append(Gap("content_missing", f"{child.key}: {error.message}"))
        else:
            _fail(one, error)


def gaps_of(kind: GraphResource, body: Mapping[str, Any]) -> list[Gap]:
    """What Graph answered and did not give: contents that are null, settings that are fewer than their count, and secrets
    that are masked.
    """
    gaps = [Gap("content_missing", f"{name}: empty") for name in kind.contents if body.get(name) is None]
    settings, count = body.get("settings"), body.get("settingCount")
    if isinstance(settings, list) and isinstance(count, int) and len(settings) != count:
        gaps.append(Gap("content_missing", f"settings: {len(settings)} of {count}"))
    if secrets := sum(_is_masked(container, key) for place in kind.secrets for container, key in find(body, place)):
        gaps.append(Gap("secret_unreadable", f"{secrets} secret value{'s' if secrets > 1 else ''} not readable"))
    return gaps


def _is_masked(container: Any, key: Any) -> bool:
    value = container[key]
    if value is None:  # a key that Graph never gives back, if the network has one at all
        return str(container.get("wiFiSecurityType", "")).lower().endswith(("personal", "wep"))
    return bool(value == _MASK) or container.get("valueState") == "encryptedValueToken"


def _usable(one: WholeObject) -> bool:
    return one.failure is None and not one.gone


def _fail(one: WholeObject, error: OperationFailed) -> None:
    if error.failure_code == "graph.unauthorized":
        raise error
    if error.failure_code == "graph.not_found":
        one.gone = True
    else:
        one.failure = error


def _permanent(error: OperationFailed) -> bool:
    """Graph refused for good, and not because it is busy or away."""
    return isinstance(error, Refused) and error.status in (400, 403, 404, 405, 501)


def _has(body: Mapping[str, Any], child: Child) -> bool:
    return not child.of_types or str(body.get("@odata.type", "")).lower().endswith(child.of_types)


def _filled(path: str, owner: Mapping[str, Any]) -> str:
    return path.replace("{type}", str(owner.get("@odata.type", "")).rpartition(".")[2])


def _names(expand: str) -> set[str]:
    """The properties that an `$expand` names, without what is inside of brackets."""
    names, depth = [""], 0
    for char in expand:
        depth += (char == "(") - (char == ")")
        if char == "," and depth == 0:
            names.append("")
        elif depth == 0 and char != ")":
            names[-1] += char
    return {name for name in names if name}
