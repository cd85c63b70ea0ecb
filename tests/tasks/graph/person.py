"""A person who signs in to the simulated tenant, with a clock that only the waits move."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tasks.graph.delegated import DelegatedApp
from tasks.graph.simulator import CLIENT_ID, DELEGATED_CLIENT_ID, Simulator, directory_id, secret
from tasks.sdk.context import GraphSettings

SLUG = "contoso"
KEYS: Mapping[str, Any] = {
    "directory_id": directory_id(SLUG),
    "client_id": CLIENT_ID,
    "client_secret": secret(SLUG),
    "delegated_client_id": DELEGATED_CLIENT_ID,
}


@dataclass
class Ticking:
    """A clock, and how a sign-in waits by it."""

    now: float = 1000.0
    #: The waits that were asked for, in seconds.
    waits: list[float] = field(default_factory=list)
    #: Called in each wait, with the number of waits so far.
    during: Callable[[int], None] = lambda number: None

    def __call__(self) -> float:
        return self.now

    def wait(self, cancel: threading.Event, seconds: float) -> bool:
        self.waits.append(seconds)
        self.now += seconds
        self.during(len(self.waits))
        return cancel.is_set()


def settings_at(url: str, **keys: Any) -> GraphSettings:
    """The settings of a tenant at the simulator's address; a key that is None is left out."""
    given = {key: value for key, value in {**KEYS, **keys}.items() if value is not None}
    return GraphSettings(url, url, lambda slug: given)


def app_at(simulator: Simulator, **keys: Any) -> DelegatedApp:
    settings = settings_at(simulator.url, **keys)
    return DelegatedApp.from_settings(SLUG, settings.credentials, settings.graph_url, settings.graph_authority)
