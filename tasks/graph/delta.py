"""Delta queries: what changed since the last round (microsoftgraph/microsoft-graph-docs-contrib,
concepts/delta-query-overview.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tasks.graph.client import GraphClient, is_page


class DeltaRound:
    """One round: every object in the first, later what changed.

    A page may be empty; an object may come twice, in any order. Objects that went have `@removed`.
    """

    def __init__(
        self, graph: GraphClient, path: str, parameters: Mapping[str, str] | None = None, link: str = ""
    ) -> None:
        """From the `link` that the last round left; from the beginning, with path and parameters, if it is empty."""
        self._graph = graph
        self._url = (graph.link(link) if link else None) or graph.url(path, parameters)
        #: The address of the next round; empty until the last page was read.
        self.link = ""

    def pages(self) -> Iterator[list[dict[str, Any]]]:
        """The objects, page by page. Raises SyncExpired if the service no longer knows the link: begin from the beginning.
        Raises OperationFailed.
        """
        for body in self._graph.bodies(self._url, is_whole=_is_whole):
            yield body["value"]
            self.link = str(body.get("@odata.deltaLink") or "")


def _is_whole(body: Mapping[str, Any]) -> bool:
    return is_page(body) and bool(body.get("@odata.nextLink") or body.get("@odata.deltaLink"))
