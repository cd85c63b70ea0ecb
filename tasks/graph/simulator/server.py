"""HTTP server of the simulator: sign-in, paged lists, errors in Graph's format, faults, and a control interface."""

from __future__ import annotations

import base64
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
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from store.errors import InputInvalid
from tasks.graph.resources import KINDS
from tasks.graph.simulator.faults import Fault, Faults
from tasks.graph.simulator.tenants import CLIENT_ID, SimulatedTenant, secret
from tasks.graph.versions import version_of

_BY_PATH: Final = {kind.path: kind.name for kind in KINDS}
_MAX_BODY: Final = 4_000_000


class Simulator:
    """Serves simulated tenants at one address, for the duration of `with Simulator([...]) as simulator:`."""

    def __init__(self, tenants: Iterable[SimulatedTenant], port: int = 0, page_size: int = 50) -> None:
        self.tenants = {tenant.directory: tenant for tenant in tenants}
        self.page_size = page_size
        self.faults = Faults()
        #: Every answered request: (method, path, status).
        self.requests: list[tuple[str, str, int]] = []
        self.tokens: dict[str, SimulatedTenant] = {}
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.simulator = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

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

    def do_DELETE(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class's name)
        """Prints nothing: requests are recorded in `Simulator.requests`."""

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        length = self.headers.get("Content-Length") or "0"
        if not length.isdecimal() or int(length) > _MAX_BODY:
            self.close_connection = True  # the body is still unread on the connection
            self._send(413, _error(413))
            return
        body = self.rfile.read(int(length))
        if parts.path.startswith("/_simulator/"):
            self._send(*self._control(parts.path, body))
            return
        whose = self._token_of()
        fault = self.server.simulator.faults.strike(parts.path, whose.slug if whose else "")
        if fault and fault.slow:
            time.sleep(fault.slow)
        if fault and fault.status:
            extra = {"Retry-After": fault.retry_after} if fault.retry_after else {}
            self._send(fault.status, _error(fault.status), extra)
            return
        try:
            status, answer = self._serve(parts.path, parse_qs(parts.query), body)
        except ValueError:  # an invalid number, or a form that is not text
            status, answer = 400, _error(400)
        self._send(status, answer, break_off=bool(fault and fault.break_off))

    def _send(self, status: int, answer: Any, headers: dict[str, str] | None = None, break_off: bool = False) -> None:
        data = json.dumps(answer).encode()
        self.server.simulator.requests.append((self.command, self.path, status))
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("request-id", str(uuid.uuid4()))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if break_off else data)
        self.close_connection = self.close_connection or break_off

    def _token_of(self) -> SimulatedTenant | None:
        """The tenant that the request's token was issued for; None for an unknown token."""
        return self.server.simulator.tokens.get(self.headers.get("Authorization", "").removeprefix("Bearer "))

    def _serve(self, path: str, query: dict[str, list[str]], body: bytes) -> tuple[int, Any]:
        if path.endswith("/.well-known/openid-configuration"):
            return self._discovery(path)
        if path.endswith("/oauth2/v2.0/token"):
            return self._sign_in(path, body)
        tenant = self._token_of()
        if tenant is None:
            return 401, _error(401, "InvalidAuthenticationToken")
        version, _, rest = path.lstrip("/").partition("/")
        kind = _BY_PATH.get(f"/{rest}")
        if kind is None or (version_of(f"/{rest}") == "beta" and version != "beta"):
            return 404, _error(404, "ResourceNotFound")
        return 200, self._page(tenant, kind, path, query)

    # -- sign-in ----------------------------------------------------------------------------------------------------------

    def _discovery(self, path: str) -> tuple[int, Any]:
        directory = path.strip("/").split("/")[0]
        if directory not in self.server.simulator.tenants:
            return 400, {"error": "invalid_tenant", "error_description": "AADSTS90002: Tenant not found."}
        scheme = self.headers.get("X-Forwarded-Proto", "http")
        base = f"{scheme}://{self.headers['Host']}/{directory}"
        return 200, {
            "issuer": f"{base}/v2.0",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
        }

    def _sign_in(self, path: str, body: bytes) -> tuple[int, Any]:
        tenant = self.server.simulator.tenants.get(path.strip("/").split("/")[0])
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        if "client_id" not in form and self.headers.get("Authorization", "").startswith("Basic "):
            pair = base64.b64decode(self.headers["Authorization"].removeprefix("Basic ")).decode().partition(":")
            form |= {"client_id": unquote(pair[0]), "client_secret": unquote(pair[2])}
        if tenant is None or form.get("client_id") != CLIENT_ID or form.get("client_secret") != secret(tenant.slug):
            return 401, {
                "error": "invalid_client",
                "error_description": "AADSTS7000215: Invalid client secret provided.",
            }
        token = f"simulated.{uuid.uuid4().hex}"
        self.server.simulator.tokens[token] = tenant
        return 200, {"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": token}

    # -- lists ------------------------------------------------------------------------------------------------------------

    def _page(self, tenant: SimulatedTenant, kind: str, path: str, query: dict[str, list[str]]) -> dict[str, Any]:
        items = tenant.listed(kind)
        start = max(0, int(query.get("$skiptoken", ["0"])[0]))
        size = max(1, min(int(query.get("$top", [str(self.server.simulator.page_size)])[0]), 1000))
        answer: dict[str, Any] = {"@odata.context": f"{path}/$metadata", "value": items[start : start + size]}
        if query.get("$count") == ["true"]:
            answer["@odata.count"] = len(items)
        if start + size < len(items):
            rest = {name: values[0] for name, values in query.items() if name != "$skiptoken"}
            link = urlencode({**rest, "$skiptoken": start + size}, safe="$")
            answer["@odata.nextLink"] = f"http://{self.headers['Host']}{path}?{link}"
        return answer

    # -- control ----------------------------------------------------------------------------------------------------------

    def _control(self, path: str, body: bytes) -> tuple[int, Any]:
        """`/_simulator/faults` POST a fault or a list of them, DELETE all; `/_simulator/requests` GET;
        `/_simulator/SLUG/KIND/ID` PUT or DELETE an object.
        """
        simulator = self.server.simulator
        try:
            match self.command, path.strip("/").split("/")[1:]:
                case "POST", ["faults"]:
                    given = json.loads(body)
                    for fault in [Fault.from_json(one) for one in (given if isinstance(given, list) else [given])]:
                        simulator.faults.add(fault)
                case "DELETE", ["faults"]:
                    simulator.faults.clear()
                case "GET", ["requests"]:
                    return 200, simulator.requests
                case "PUT", [slug, kind, id_]:
                    simulator.tenant(slug).put(kind, {**json.loads(body or b"{}"), "id": id_})
                case "DELETE", [slug, kind, id_]:
                    simulator.tenant(slug).delete(kind, id_)
                case _:
                    return 404, {"error": "no such control"}
        except (ValueError, KeyError, StopIteration, TypeError, InputInvalid) as error:
            return 400, {"error": f"{type(error).__name__}: {error}"}
        return 200, {"ok": True}


def _error(status: int, code: str | None = None) -> dict[str, Any]:
    """An error as Graph returns it for Intune: the message is a JSON string with internal details."""
    codes = {
        400: "BadRequest",
        401: "InvalidAuthenticationToken",
        403: "Forbidden",
        404: "ResourceNotFound",
        413: "RequestEntityTooLarge",
        429: "TooManyRequests",
    }
    inner = {
        "_version": 3,
        "Message": "An error has occurred - Operation ID (for customer support): 00000000-0000-0000-0000-000000000000",
        "CustomApiErrorPhrase": "",
        "Url": "https://fef.internal.manage.microsoft.com/DeviceConfiguration_2410/StatelessDeviceConfigurationFEService",
    }
    return {"error": {"code": code or codes.get(status, "ServiceUnavailable"), "message": json.dumps(inner)}}
