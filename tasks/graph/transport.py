"""HTTP clients for Graph and for the sign-in service."""

from __future__ import annotations

import contextlib
import functools
import ipaddress
import ssl
from urllib.parse import urlsplit

import httpx


def is_loopback(address: str) -> bool:
    """Whether the URL points to this machine."""
    with contextlib.suppress(ValueError):
        host = urlsplit(address).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    return False


def make_http(address: str, timeout: float) -> httpx.Client:
    """An HTTP client for the URL `address`. `timeout` is in seconds, for each step of a request. Does not follow redirects."""
    # Proxies from the environment are for Microsoft; they cannot reach the simulator on this machine.
    return httpx.Client(
        timeout=timeout,
        follow_redirects=False,
        trust_env=not is_loopback(address),
        verify=_certificates() if address.lower().startswith("https:") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
    )


@functools.cache
def _certificates() -> ssl.SSLContext:
    """What every connection is checked against. Reading all there are takes as long as some pages of a sync."""
    return httpx.create_ssl_context()
