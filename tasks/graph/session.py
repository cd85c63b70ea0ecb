"""Graph, signed in as the app of a tenant: from the credentials to a client."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tasks.graph.auth import AppCredentials, AppToken
from tasks.graph.client import GraphClient, RetryLimits
from tasks.graph.credentials import Ask


@contextmanager
def signed_in(
    slug: str,
    ask: Ask,
    graph_url: str = "",
    authority: str = "",
    *,
    limits: RetryLimits | None = None,
    sleep: Callable[[float], None] = time.sleep,
    on_throttle: Callable[[float], None] = lambda seconds: None,
) -> Iterator[GraphClient]:
    """A client for the tenant, at the addresses given, else at those of its cloud; see GraphClient for the others.

    Raises OperationFailed if the credentials cannot be used, or the app cannot sign in.
    """
    credentials = AppCredentials.from_settings(slug, ask)
    addresses = credentials.addresses(graph_url, authority)
    token = AppToken(credentials, addresses.authority)
    try:
        token()
        with GraphClient(addresses.graph_url, token, limits=limits, sleep=sleep, on_throttle=on_throttle) as graph:
            yield graph
    finally:
        token.close()
