"""The target tenant of a restore, read afresh: the lists of its objects, and single objects whole."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from store.errors import OperationFailed
from tasks.graph.resource import GraphResource
from tasks.graph.resources import name_of
from tasks.graph.whole import CHUNK, KindReader, WholeObject

if TYPE_CHECKING:
    from tasks.graph.client import GraphClient

#: Seconds after which a list is read again before something is created that could be on it by now.
FRESH: Final = 20.0
#: Or so many times what it took to read it, if that is longer: a large tenant is not read anew for every object.
_SHARE: Final = 5.0


@dataclass(frozen=True, slots=True)
class _Listing:
    """A list as it was read."""

    #: Until when it is fresh.
    until: float
    objects: list[dict[str, Any]]
    by_name: Mapping[str, list[dict[str, Any]]]
    #: By ids in lower case.
    by_id: Mapping[str, dict[str, Any]]


class Target:
    """Objects of the target tenant, each list read once until it is too old."""

    def __init__(
        self,
        graph: GraphClient,
        say: Callable[[str], None] = lambda text: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.graph = graph
        self._say = say
        self._clock = clock
        self._readers: dict[str, KindReader] = {}
        self._ahead: dict[tuple[str, str], WholeObject] = {}
        self._lists: dict[str, _Listing] = {}
        self._failures: dict[str, tuple[float, OperationFailed]] = {}

    def listed(self, kind: GraphResource, *, fresh: bool = False) -> list[dict[str, Any]]:
        """All objects of a kind, each once; with `fresh`, as they are now or were a few seconds ago. Raises OperationFailed
        if they cannot be read, and again without another request.
        """
        return self._listing(kind, fresh=fresh).objects

    def named(self, kind: GraphResource, name: str, *, fresh: bool = False) -> list[dict[str, Any]]:
        """The objects of a kind with exactly this name. Raises as `listed`."""
        return self._listing(kind, fresh=fresh).by_name.get(name, [])

    def with_id(self, kind: GraphResource, id_: str) -> dict[str, Any] | None:
        """The object of a kind with this id, in any case, as it was listed; None if there is none. Raises as `listed`."""
        return self._listing(kind).by_id.get(id_.lower())

    def relist(self, kind: GraphResource) -> list[dict[str, Any]]:
        """All objects of a kind as they are now. Raises OperationFailed."""
        return self._read_list(kind).objects

    def _listing(self, kind: GraphResource, *, fresh: bool = False) -> _Listing:
        found = self._lists.get(kind.name)
        until, failure = self._failures.get(kind.name, (0.0, None))
        if failure is not None and not (fresh and self._clock() > until):
            raise failure
        if failure is None and found is not None and not (fresh and self._clock() > found.until):
            return found
        return self._read_list(kind)

    def _read_list(self, kind: GraphResource) -> _Listing:
        at = self._clock()
        self._failures.pop(kind.name, None)
        try:
            pages = [item for page in self._reader(kind).pages() for item in page if item.get("id")]
        except OperationFailed as error:
            self._failures[kind.name] = at + self._fresh_for(at), error
            raise
        by_id = {str(item["id"]).lower(): item for item in pages}  # a page may repeat an object
        by_name: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        for item in by_id.values():
            by_name[name_of(item)].append(item)
        found = _Listing(at + self._fresh_for(at), list(by_id.values()), dict(by_name), by_id)
        self._lists[kind.name] = found
        return found

    def _fresh_for(self, at: float) -> float:
        """For how many seconds what was begun to be read then, and has just been read, is fresh."""
        return max(FRESH, _SHARE * (self._clock() - at))

    def whole(self, kind: GraphResource, item: Mapping[str, Any]) -> WholeObject:
        """One object as it is now, or was when it was read ahead, with its parts and assignments. Raises OperationFailed."""
        found = self._ahead.pop((kind.name, str(item.get("id"))), None) or self._reader(kind).one(item)
        if found.failure is not None:
            raise found.failure
        return found

    def read_ahead(self, kind: GraphResource, ids: Collection[str]) -> Iterator[int]:
        """Read objects of the list whole, many in a batch; yields how many, batch by batch. Each is given out once."""
        listed = [item for item in self.listed(kind) if str(item["id"]) in ids]
        for start in range(0, len(listed), CHUNK):
            found = self._reader(kind).complete(listed[start : start + CHUNK])
            self._ahead |= {(kind.name, str(one.listed["id"])): one for one in found}
            yield len(found)

    def _reader(self, kind: GraphResource) -> KindReader:
        return self._readers.setdefault(kind.name, KindReader(self.graph, kind, self._say))
