"""HTTP server of the simulator: Graph and its sign-in at one address, with faults and a control interface."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
import uuid
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final
from urllib.parse import urlsplit

from tasks.graph.simulator.control import PREFIX, Control
from tasks.graph.simulator.faults import Faults
from tasks.graph.simulator.graph import Graph, refused
from tasks.graph.simulator.request import GraphError, Reply, Request
from tasks.graph.simulator.signin import SignIn
from tasks.graph.simulator.tenants import SimulatedTenant

_MAX_BODY: Final = 4_000_000


class Simulator:
    """Serves simulated tenants at one address, for the duration of `with Simulator([...]) as simulator:`."""

    def __init__(self, tenants: Iterable[SimulatedTenant], port: int = 0, page_size: int = 50) -> None:
        self.tenants = {tenant.directory: tenant for tenant in tenants}
        self.page_size = page_size
        self.faults = Faults()
        #: Every answered request: (method, path, status).
        self.requests: list[tuple[str, str, int]] = []
        self.sign_in = SignIn(self.tenants)
        self.control = Control(self.tenants, self.faults, self.requests)
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.simulator = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def tokens(self) -> dict[str, SimulatedTenant]:
        """The tokens that were issued, and the tenant that each is for."""
        return self.sign_in.tokens

    @property
    def url(self) -> str:
        """The server's address, without a trailing slash."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def tenant(self, slug: str) -> SimulatedTenant:
        """The tenant with this slug. Raises StopIteration if there is none."""
        return next(tenant for tenant in self.tenants.values() if tenant.slug == slug)

    def __enter__(self) -> Simulator:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Where a listening socket cannot be shut down, its wait ends by itself, soon.
        with contextlib.suppress(OSError):
            self._server.socket.shutdown(socket.SHUT_RDWR)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    simulator: Simulator

    def __init__(self, *arguments: Any) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(*arguments)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        super().server_close()
        for connection in list(self._open):  # keep-alive connections; their threads end with them
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignores clients that disconnect in the middle of a request."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Send head and body in one packet: otherwise the second waits for the client's delayed acknowledgement (40 ms per page).
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def do_PATCH(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class's name)
        """Prints nothing: requests are recorded in `Simulator.requests`."""

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        length = self.headers.get("Content-Length") or "0"
        if not length.isdecimal() or int(length) > _MAX_BODY:
            self.close_connection = True  # the body is still unread on the connection
            self._send(GraphError(413).reply(parts.path))
            return
        body = self.rfile.read(int(length))
        simulator = self.server.simulator
        if parts.path.startswith(PREFIX):
            self._send(simulator.control.respond(self.command, parts.path, body))
            return
        whose = simulator.sign_in.tenant_of(self.headers.get("Authorization", "").removeprefix("Bearer "))
        fault = simulator.faults.strike(parts.path, whose.slug if whose else "", self.command, parts.query)
        if fault and fault.slow:
            time.sleep(fault.slow)
        if fault and fault.status:
            self._send(refused(fault, parts.path))
            return
        self._send(self._reply(parts.path, parts.query, body, whose), break_off=bool(fault and fault.break_off))

    def _reply(self, path: str, query: str, body: bytes, tenant: SimulatedTenant | None) -> Reply:
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            if signed_in := self.server.simulator.sign_in.respond(path, headers, body):
                return signed_in
            if tenant is None:
                return GraphError(401).reply(path)
            version, _, rest = path.lstrip("/").partition("/")
            # Behind a TLS proxy, links have to lead back to it.
            base = f"{headers.get('x-forwarded-proto', 'http')}://{self.headers['Host']}"
            asked = json.loads(body) if body else None
            request = Request(self.command, version, "/" + rest, query, headers, asked, base)
        except ValueError:  # a form that is no text, or a body that is no JSON
            return GraphError(400).reply(path)
        return Graph(tenant, self.server.simulator.page_size, self.server.simulator.faults).respond(request)

    def _send(self, reply: Reply, break_off: bool = False) -> None:
        data = b"" if reply.body is None else json.dumps(reply.body).encode()
        self.server.simulator.requests.append((self.command, self.path, reply.status))
        headers = {"request-id": str(uuid.uuid4()), **reply.headers}
        self.send_response(reply.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if break_off else data)
        self.close_connection = self.close_connection or break_off
