"""The simulated sign-in service: tokens for the app of a tenant."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping
from urllib.parse import parse_qs, unquote

from tasks.graph.simulator.request import Reply
from tasks.graph.simulator.tenants import CLIENT_ID, SimulatedTenant, secret


class SignIn:
    """Issues tokens, and knows whose they are."""

    def __init__(self, tenants: Mapping[str, SimulatedTenant]) -> None:
        self._tenants = tenants
        self.tokens: dict[str, SimulatedTenant] = {}

    def respond(self, path: str, headers: Mapping[str, str], body: bytes) -> Reply | None:
        """The reply to a request of a sign-in; None if the path is none of it. Raises ValueError for a form that is no text."""
        if path.endswith("/.well-known/openid-configuration"):
            return self._discovery(path, headers)
        if path.endswith("/oauth2/v2.0/token"):
            return self._token(path, headers, body)
        return None

    def _discovery(self, path: str, headers: Mapping[str, str]) -> Reply:
        directory = path.strip("/").split("/")[0]
        if directory not in self._tenants:
            return Reply(400, {"error": "invalid_tenant", "error_description": "AADSTS90002: Tenant not found."})
        base = f"{headers.get('x-forwarded-proto', 'http')}://{headers.get('host')}/{directory}"
        found = {
            "issuer": f"{base}/v2.0",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
        }
        return Reply(200, found)

    def _token(self, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        tenant = self._tenants.get(path.strip("/").split("/")[0])
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        authorization = headers.get("authorization", "")
        if "client_id" not in form and authorization.startswith("Basic "):
            pair = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
            form |= {"client_id": unquote(pair[0]), "client_secret": unquote(pair[2])}
        if tenant is None or form.get("client_id") != CLIENT_ID or form.get("client_secret") != secret(tenant.slug):
            said = "AADSTS7000215: Invalid client secret provided."
            return Reply(401, {"error": "invalid_client", "error_description": said})
        token = f"simulated.{uuid.uuid4().hex}"
        self.tokens[token] = tenant
        return Reply(200, {"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": token})
