"""A simulated tenant over real HTTP, and a client that does not really sleep."""

from __future__ import annotations

import functools
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tasks.graph.auth import AppCredentials, AppToken
from tasks.graph.client import GraphClient, RetryLimits
from tasks.graph.simulator import CLIENT_ID, Simulator, directory_id, secret, synthetic

POLICIES = 230


@pytest.fixture(scope="module", autouse=True)
def _certificates_are_read_once() -> Iterator[None]:
    """Every client reads all there are before it speaks plain HTTP: most of what the tests here would cost."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl, "create_default_context", functools.cache(ssl.create_default_context))
        yield


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator([synthetic("contoso", 7, POLICIES)], page_size=20) as running:
        yield running


@pytest.fixture
def slept() -> list[float]:
    """The waits that the client asked for, in seconds."""
    return []


@pytest.fixture
def token(simulator: Simulator) -> Iterator[AppToken]:
    given = AppToken(AppCredentials(directory_id("contoso"), CLIENT_ID, secret("contoso")), simulator.url)
    yield given
    given.close()


@pytest.fixture
def client(simulator: Simulator, token: AppToken, slept: list[float]) -> Iterator[Callable[..., GraphClient]]:
    """Makes clients on the simulator; keyword arguments are RetryLimits."""
    with ExitStack() as stack:
        yield lambda **limits: stack.enter_context(
            GraphClient(simulator.url, token, limits=RetryLimits(**limits), sleep=slept.append)
        )


def there(simulator: Simulator, kind: str = "configuration_policies") -> list[str]:
    """The ids of what the simulated tenant has of a kind."""
    return [item["id"] for item in simulator.tenant("contoso").listed(kind)]
