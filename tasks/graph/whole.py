"""Reads objects of a kind whole: contents, parts and assignments, as the table of kinds says where each is
(tasks/graph/resources.py).

A list leaves much out, so most of an object comes from requests of its own, 20 in a batch. What Graph answered and yet
did not give (a masked secret, a content that is null) is a gap of the object, known then and there. What could not be
read is the failure of that object; the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from store.errors import OperationFailed
from tasks.graph import batch
from tasks.graph.answers import Refused
from tasks.graph.batch import Reading
from tasks.graph.client import GraphClient
from tasks.graph.gaps import Gap, gaps_of
from tasks.graph.resource import Child, GraphResource

#: Objects that are read whole together: enough for full batches, few enough for memory.
CHUNK: Final = 100
_NEXT: Final = "@odata.nextLink"
#: Expanded parts that are one object.
_SINGLE: Final = frozenset({"roleDefinition"})


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
    reader = KindReader(graph, kind, say)
    chunk: list[dict[str, Any]] = []
    for page in reader.pages():
        chunk += [item for item in page if item.get("id") and wanted(item)]
        while len(chunk) >= CHUNK:
            yield reader.complete(chunk[:CHUNK])
            chunk = chunk[CHUNK:]
    if chunk:
        yield reader.complete(chunk)


class KindReader:
    """Reads objects of one kind. It remembers what Graph refuses to expand."""

    def __init__(self, graph: GraphClient, kind: GraphResource, say: Callable[[str], None] = lambda text: None) -> None:
        self._graph = graph
        self._kind = kind
        self._say = say
        #: What the list comes with, and what a GET of one object is asked with; None: it is not asked for.
        self._list_expand = kind.list_expand
        self._item_expand = kind.item_expand
        self._expanded = {**_expanded(kind.list_expand), **_expanded(kind.item_expand or "")}
        self._has_told = False

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

    def one(self, item: Mapping[str, Any]) -> WholeObject:
        """The object with the id and the type of `item`, whole and as it is now. Raises OperationFailed if Graph cannot be asked
        for it; if it does not exist any more, it is `gone`.
        """
        stub = {key: item[key] for key in ("@odata.type", "id") if key in item}
        if self._item_expand is not None:  # `complete` asks for the object itself
            return self.complete([stub])[0]
        try:
            return self.complete([self._get(stub)])[0]
        except OperationFailed as error:
            if error.failure_code != "graph.not_found":
                raise
            return WholeObject(stub, stub, gone=True)

    def _get(self, stub: Mapping[str, Any]) -> dict[str, Any]:
        path = self._kind.item_path(stub)
        try:
            return self._graph.get(path, {"$expand": self._list_expand} if self._list_expand else None)
        except Refused as error:
            if error.status != 400 or not self._list_expand:
                raise
            return self._graph.get(path)

    def complete(self, listed: Sequence[dict[str, Any]]) -> list[WholeObject]:
        """The objects of a chunk of the list, whole."""
        objects = [WholeObject(self._without_parts(item), dict(item)) for item in listed]
        if self._item_expand is not None:
            self._read_items(objects)
        self._follow_links([one for one in objects if _usable(one)])
        self._read_assignments([one for one in objects if _usable(one)])
        self._read_refused([one for one in objects if _usable(one)])
        self._read_children([one for one in objects if _usable(one)])
        for one in objects:
            if _usable(one):
                one.gaps += gaps_of(self._kind, one.body)
        return objects

    def _without_parts(self, item: Mapping[str, Any]) -> dict[str, Any]:
        parts = _expanded(self._kind.list_expand)
        return {key: value for key, value in item.items() if key.partition("@")[0] not in parts}

    # -- each object by itself ------------------------------------------------------------------------------------------

    def _read_items(self, objects: Sequence[WholeObject]) -> None:
        expand = self._item_expand or ""
        refused = self._ask(objects, f"?$expand={quote(expand, safe='$(),=')}" if expand else "")
        if refused:
            if not self._has_told:
                self._say(
                    f"{self._kind.label}: objects cannot be expanded any more: their parts are read by themselves"
                )
                self._has_told = True
            if len(refused) == len(objects):  # else it is only some type that does not have a part
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

    def _read_refused(self, objects: Sequence[WholeObject]) -> None:
        """Read the parts that an object should have come with and did not."""
        for name, options in self._expanded.items():
            child = Child(name, f"/{name}?{options}" if options else f"/{name}", single=name in _SINGLE)
            owners = [(one, one.body, self._kind.item_path(one.listed)) for one in objects if name not in one.body]
            if name != "assignments":
                self._read_child(child, owners)

    def _read_children(self, objects: Sequence[WholeObject]) -> None:
        for child in self._kind.children:
            owners = [(one, one.body, self._kind.item_path(one.listed)) for one in objects if _has(one.body, child)]
            self._read_child(child, owners)

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
            elif child.of_types:
                _link(owner, child, answer)
            elif child.single:
                owner[child.key] = answer
            else:
                owner[child.key] = answer["value"]
                if child.children:
                    plain = child.path.partition("?")[0]
                    elements = [element for element in answer["value"] if "id" in element]
                    below += [(one, element, f"{path}{plain}/{element['id']}") for element in elements]
        for inner in child.children:
            self._read_child(inner, below)

    def _miss(self, one: WholeObject, child: Child, error: OperationFailed) -> None:
        is_missing = error.failure_code == "graph.not_found"
        if child.of_types and isinstance(error, Refused) and error.status in (400, 404):
            return  # the profile has no such certificate, or its type no such link: which it is, Graph does not tell apart
        if child.of_types and _permanent(error):
            one.gaps.append(Gap("reference_lost", f"{child.key}: {error.message}"))
        elif _permanent(error) and (not is_missing or child.key in self._expanded):
            one.gaps.append(Gap("content_missing", f"{child.key}: {error.message}"))
        else:
            _fail(one, error)


def _link(owner: dict[str, Any], child: Child, answer: Mapping[str, Any]) -> None:
    """Keep which certificate profiles these are, and not all that is in them."""
    found = [
        {key: profile[key] for key in ("@odata.type", "id", "displayName") if key in profile}
        for profile in ([answer] if child.single else answer["value"])
    ]
    if found:
        owner[child.key] = found[0] if child.single else found


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


def _expanded(expand: str) -> dict[str, str]:
    """The properties that an `$expand` names, each with its options: what stands in brackets behind it."""
    parts, depth = [""], 0
    for char in expand:
        depth += (char == "(") - (char == ")")
        if char == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    found = (part.partition("(") for part in parts)
    return {name: options.removesuffix(")") for name, _, options in found if name}
