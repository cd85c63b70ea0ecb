"""What the operations that read a tenant share: Graph, signed in as the run's tenant, and objects as the inventory has
them.
"""

from __future__ import annotations

import datetime as dt
import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from store.intune import inventory
from tasks.graph.resource import GraphResource
from tasks.graph.resources import KINDS, name_of, platform_of
from tasks.sdk.context import RunContext

if TYPE_CHECKING:
    from store.errors import OperationFailed
    from tasks.graph.client import GraphClient


def kinds_named(names: Sequence[str] | None) -> list[GraphResource]:
    """The kinds with these names, in the order of the table; all for None or none."""
    return [kind for kind in KINDS if not names or kind.name in names]


@contextmanager
def tenant_graph(run: RunContext) -> Iterator[GraphClient]:
    """Graph, for the tenant of the run. Raises OperationFailed if its credentials cannot be used."""
    # Imported only when a worker carries out a run, not by every screen that lists operations.
    from tasks.graph.client import RetryLimits
    from tasks.graph.session import signed_in

    settings = run.tools.settings
    with signed_in(
        run.tenant.slug,
        settings.credentials,
        settings.graph_url,
        settings.graph_authority,
        limits=RetryLimits(total_wait=settings.longest_wait, reads=settings.reads, writes=settings.writes),
        sleep=run.sleep,
        on_throttle=_throttle_logger(run),
    ) as graph:
        yield graph
        run.note("last_request_id", graph.request_id)


#: Objects that are stored in one transaction, at least, and the seconds after which those at hand are stored anyway.
CHUNK: Final = 500
AT_LEAST_EVERY: Final = 2.0


class Rhythm:
    """When what was read is stored: many objects at once, as a transaction each would cost more than reading them; but
    soon enough for somebody who watches a slow tenant being read.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = clock()

    def is_due(self, unkept: int) -> bool:
        """Whether so many objects are to be stored now; if they are, the time counts from here."""
        due = unkept >= CHUNK or (unkept > 0 and self._clock() - self._last >= AT_LEAST_EVERY)
        if due:
            self._last = self._clock()
        return due


def _throttle_logger(run: RunContext) -> Callable[[float], None]:
    """Logs the first five waits, then every 20th: a run keeps a limited number of log lines, and long throttling must
    not use them up. How often and how long in all stands in the run's context.
    """
    numbers = itertools.count(1)
    waited = 0.0

    def throttled(seconds: float) -> None:
        nonlocal waited
        number = next(numbers)
        waited += seconds
        run.note("throttled", {"times": number, "seconds": round(waited)})
        if number <= 5 or number % 20 == 0:
            run.log(f"throttled by Graph: waiting {seconds:.0f} s" + (f" ({number})" if number > 5 else ""), "warning")

    return throttled


def fail_kind(run: RunContext, graph: GraphClient, kind: GraphResource, error: OperationFailed, done: int) -> None:
    """Count the objects of a kind that could not be read to its end, of which `done` were. Refused credentials end the
    run.
    """
    run.note("last_request_id", graph.request_id)  # Microsoft's support asks for it first
    if error.failure_code == "graph.unauthorized":
        raise error
    last = inventory.known(run.tools.db, run.tenant.id, kind.name)
    had = f"; it last had {last}" if last else ""
    # Of a kind that was never read, nobody knows how many objects failed: at least one.
    run.failed(error.failure_code, f"{kind.label}: {error.message}{had}", max(1, last - done))


def seen_policy(kind: GraphResource, item: Mapping[str, Any]) -> inventory.SeenPolicy:
    """An object of a list, for the inventory."""
    description = item.get("description")
    return inventory.SeenPolicy(
        external_id=str(item["id"]),
        name=name_of(item),
        description=None if description is None else str(description),
        body=item,
        modified_at=_instant(item.get("lastModifiedDateTime")),
        platform=platform_of(kind, item),
    )


def _instant(text: object) -> dt.datetime | None:
    try:
        found = dt.datetime.fromisoformat(str(text))
    except ValueError:
        return None
    # Intune uses 0001-01-01 for "never", and a date in year 9999 may overflow in another time zone.
    if not 1 < found.year < 9999:
        return None
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)
