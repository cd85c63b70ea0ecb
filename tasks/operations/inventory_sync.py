"""`inventory.sync`: reads a tenant's policies from Graph into the inventory."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from store.errors import OperationFailed
from store.intune import inventory
from tasks.graph.resource import GraphResource, KindName
from tasks.graph.resources import KINDS, name_of
from tasks.sdk.context import RunContext
from tasks.sdk.operation import operation

if TYPE_CHECKING:
    from tasks.graph.client import GraphClient


@operation("inventory.sync", label="Sync inventory", identity=["kinds"], timeout=3600)
def sync(run: RunContext, kinds: tuple[KindName, ...] | None = None) -> None:
    """Read the tenant's policies into the inventory.

    Args:
        kinds: the kinds of policy to read; all when left empty
    """
    wanted = [kind for kind in KINDS if not kinds or kind.name in kinds]
    with _graph(run) as graph:
        for kind in wanted:
            _sync_kind(run, graph, kind)
        run.note("last_request_id", graph.request_id)


@contextmanager
def _graph(run: RunContext) -> Iterator[GraphClient]:
    # Imported only when a worker carries out a run, not by every screen that lists operations.
    from tasks.graph.auth import AppCredentials, AppToken
    from tasks.graph.client import GraphClient

    settings = run.tools.settings
    credentials = AppCredentials.from_settings(run.tenant.slug, settings.credentials)
    addresses = credentials.addresses(settings.graph_url, settings.graph_authority)
    token = AppToken(credentials, addresses.authority)

    try:
        with GraphClient(addresses.graph_url, token, sleep=run.sleep, on_throttle=_throttle_logger(run)) as graph:
            yield graph
    finally:
        token.close()


def _throttle_logger(run: RunContext) -> Callable[[float], None]:
    """Logs the first five waits, then every 20th: a run keeps a limited number of log lines, and long throttling must
    not use them up.
    """
    numbers = itertools.count(1)

    def throttled(seconds: float) -> None:
        number = next(numbers)
        if number <= 5 or number % 20 == 0:
            run.log(f"throttled by Graph: waiting {seconds:.0f} s" + (f" ({number})" if number > 5 else ""), "warning")

    return throttled


def _sync_kind(run: RunContext, graph: GraphClient, kind: GraphResource) -> None:
    """Sync one kind. If it cannot be read, only that kind fails; refused credentials end the run."""
    seen: set[str] = set()
    try:
        for page in graph.pages(kind.path):
            run.check()
            new = [item for item in page if item.get("id") and str(item["id"]) not in seen]
            inventory.upsert(run.tools.db, run.tenant.id, run.id, kind.name, [_policy(item) for item in new])
            # If the collection changes while it is read, a page may repeat an object: count it once.
            fresh = {str(item["id"]) for item in new}
            seen |= fresh
            run.success(len(fresh))
    except OperationFailed as error:
        run.note("last_request_id", graph.request_id)  # Microsoft's support asks for it first
        if error.failure_code == "graph.unauthorized":
            raise
        run.failed(error.failure_code, f"{kind.label}: {error.message}")
        return
    # Only a complete read shows which objects are gone.
    gone = inventory.mark_missing(run.tools.db, run.tenant.id, run.id, kind.name)
    run.log(f"{len(seen)} {kind.label}" + (f", {gone} missing since the last sync" if gone else ""))


def _policy(item: dict[str, Any]) -> inventory.SeenPolicy:
    description = item.get("description")
    return inventory.SeenPolicy(
        external_id=str(item["id"]),
        name=name_of(item),
        description=None if description is None else str(description),
        body=item,
        modified_at=_instant(item.get("lastModifiedDateTime")),
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
