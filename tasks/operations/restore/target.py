"""The target tenant of a restore, read afresh: the lists of its objects, and single objects whole."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from store.errors import OperationFailed
from tasks.graph.resource import GraphResource
from tasks.graph.whole import CHUNK, KindReader, WholeObject

if TYPE_CHECKING:
    from tasks.graph.client import GraphClient

#: Seconds after which a list is read again before something is created that could be on it by now.
FRESH: Final = 20.0


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
        self._lists: dict[str, tuple[float, list[dict[str, Any]] | OperationFailed]] = {}

    def listed(self, kind: GraphResource, *, fresh: bool = False) -> list[dict[str, Any]]:
        """All objects of a kind, each once; with `fresh`, as they are now or were a few seconds ago. Raises OperationFailed
        if they cannot be read, and again without another request.
        """
        at, found = self._lists.get(kind.name, (0.0, None))
        if found is None or (fresh and self._clock() - at > FRESH):
            return self.relist(kind)
        if isinstance(found, OperationFailed):
            raise found
        return found

    def relist(self, kind: GraphResource) -> list[dict[str, Any]]:
        """All objects of a kind as they are now. Raises OperationFailed."""
        at = self._clock()
        try:
            pages = [item for page in self._reader(kind).pages() for item in page if item.get("id")]
        except OperationFailed as error:
            self._lists[kind.name] = at, error
            raise
        found = list({str(item["id"]): item for item in pages}.values())  # a page may repeat an object
        self._lists[kind.name] = at, found
        return found

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
