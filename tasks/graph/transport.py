"""How a request leaves this machine, for the client and the sign-in alike."""

from __future__ import annotations

import contextlib
import ipaddress
from urllib.parse import urlsplit

import httpx


def is_loopback(address: str) -> bool:
    """Whether the address (a URL) is on this machine itself."""
    with contextlib.suppress(ValueError):
        host = urlsplit(address).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    return False


def make_http(address: str, timeout: float) -> httpx.Client:
    """A client for `address`, with a time-out in seconds for each step of a request. It follows no redirect."""
    # A proxy from the environment leads to Microsoft; to this machine (the simulator) it leads nowhere.
    return httpx.Client(timeout=timeout, follow_redirects=False, trust_env=not is_loopback(address))
