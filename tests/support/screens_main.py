"""`python -m tests.support.screens_main LOGIN [--block-network]`: the screens on OPSMON_DATABASE_URL, without a worker."""

from __future__ import annotations

import socket
import sys
from typing import Any

from opsmon.app import run_screens
from opsmon.services import Services
from opsmon.settings import load
from store.people import access


def block_network() -> None:
    """Whatever is not a socket of this machine's file system (the test's PostgreSQL) cannot be reached from here on."""
    connect = socket.socket.connect

    def refuse(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX:
            raise PermissionError(f"a screen wanted the network: {address}")
        connect(self, address)

    socket.socket.connect = refuse  # type: ignore[method-assign, assignment]


if __name__ == "__main__":
    if "--block-network" in sys.argv:
        block_network()
    services = Services(load())
    sys.exit(run_screens(services, access.find_user(services.db, sys.argv[1])))
