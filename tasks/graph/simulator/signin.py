"""The simulated sign-in service: tokens for the app of a tenant, and for people who sign in with a device code."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qs, unquote

from tasks.graph.clouds import CLOUDS
from tasks.graph.simulator import assertions, device_code
from tasks.graph.simulator.request import Reply
from tasks.graph.simulator.tenants import CLIENT_ID, SimulatedTenant, secret

#: Refusals by their number: status, error and description. Source: Entra's error codes.
_REFUSALS: Final = {
    90002: (400, "invalid_request", "Tenant not found."),
    900144: (400, "invalid_request", "The request body must contain the following parameters: 'client_id', 'scope'."),
    900382: (400, "invalid_scope", "Confidential Client is not supported in Cross Cloud request."),
    70011: (400, "invalid_scope", "The provided value for the input parameter 'scope' is not valid."),
    7000215: (401, "invalid_client", "Invalid client secret provided."),
    7000218: (401, "invalid_client", "The request body must contain 'client_assertion' or 'client_secret'."),
    7000222: (401, "invalid_client", "The provided client secret keys for app are expired."),
    assertions.WRONG_APP: (
        400,
        "invalid_client",
        "Client assertion application identifier does not match 'client_id'.",
    ),
    assertions.WRONG_AUDIENCE: (401, "invalid_client", "Client assertion audience claim does not match Realm issuer."),
    assertions.WRONG_TIME: (401, "invalid_client", "Client assertion is not within its valid time range."),
    assertions.WRONG_KEY: (
        401,
        "invalid_client",
        "The certificate used to sign the client assertion is not registered on application.",
    ),
    assertions.NOT_FEDERATED: (400, "invalid_request", "No matching federated identity record found."),
}
_ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_DEVICE_CODE: Final = "/oauth2/v2.0/devicecode"


class SignIn:
    """Issues tokens, and knows whose they are."""

    def __init__(self, tenants: Mapping[str, SimulatedTenant]) -> None:
        self._tenants = tenants
        self.tokens: dict[str, SimulatedTenant] = {}
        #: The scope of every request for a token, as it was asked.
        self.scopes: list[str] = []
        #: The tokens that are a person's, not the app's.
        self.delegated: set[str] = set()
        self.device_codes = device_code.DeviceCodes()

    def tenant_of(self, token: str) -> SimulatedTenant | None:
        """Whose token this is; None for one that Graph refuses: unknown, or of another cloud than the tenant's."""
        tenant = self.tokens.get(token)
        cloud = _cloud_of(token)
        return None if tenant and cloud and cloud != tenant.cloud else tenant

    def respond(self, path: str, headers: Mapping[str, str], body: bytes) -> Reply | None:
        """The reply to a request of a sign-in; None if the path is none of it. Raises ValueError for a form that is no text."""
        if path.endswith("/.well-known/openid-configuration"):
            return self._discovery(path, headers)
        if path.endswith("/oauth2/v2.0/token"):
            return self._token(path, headers, body)
        if path.endswith(_DEVICE_CODE):
            return self._device_code(path, headers, body)
        return None

    def _discovery(self, path: str, headers: Mapping[str, str]) -> Reply:
        directory = path.strip("/").split("/")[0]
        if directory not in self._tenants:
            return Reply(400, {"error": "invalid_tenant", "error_description": "AADSTS90002: Tenant not found."})
        base = f"{_base(headers)}/{directory}"
        found = {
            "issuer": f"{base}/v2.0",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "device_authorization_endpoint": f"{base}{_DEVICE_CODE}",
        }
        return Reply(200, found)

    def _token(self, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        form = _form(headers, body)
        tenant = self._tenant_at(path)
        if form.get("grant_type") == device_code.GRANT:
            return self._poll(tenant, form)
        self.scopes.append(form.get("scope", ""))
        if tenant is None:
            return _refused(90002)
        number = tenant.sign_in_refusal or _wrong_scope(tenant, form) or _wrong_app(tenant, form, _base(headers) + path)
        if number:
            return _refused(number)
        return Reply(200, self._issue(tenant))

    def _issue(self, tenant: SimulatedTenant, mark: str = "") -> dict[str, object]:
        token = f"simulated.{tenant.cloud}.{mark}{uuid.uuid4().hex}"
        self.tokens[token] = tenant
        seconds = tenant.token_seconds
        return {"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token}

    def end_tokens(self, slug: str) -> None:
        """End the tokens of a tenant before their time: Graph answers 401 to them from now on."""
        for token, tenant in list(self.tokens.items()):
            if tenant.slug == slug:
                self.tokens.pop(token, None)

    def _tenant_at(self, path: str) -> SimulatedTenant | None:
        return self._tenants.get(path.strip("/").split("/")[0])

    def _device_code(self, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        form = _form(headers, body)
        self.scopes.append(form.get("scope", ""))
        tenant = self._tenant_at(path)
        number = 90002 if tenant is None else tenant.sign_in_refusal or _wrong_delegation(tenant, form)
        return _refused(number) if tenant is None or number else self.device_codes.start(tenant, form)

    def _poll(self, tenant: SimulatedTenant | None, form: Mapping[str, str]) -> Reply:
        """The reply to a poll for the token of a device code. The token is marked: `simulated.CLOUD.delegated-…`."""
        if tenant is None or tenant.sign_in_refusal:
            return _refused(tenant.sign_in_refusal if tenant else 90002)
        found = self.device_codes.poll(tenant, form)
        if isinstance(found, Reply):
            return found
        issued = self._issue(tenant, "delegated-")
        self.delegated.add(str(issued["access_token"]))
        return Reply(200, {**issued, "scope": found})


def _base(headers: Mapping[str, str]) -> str:
    return f"{headers.get('x-forwarded-proto', 'http')}://{headers.get('host')}"


def _form(headers: Mapping[str, str], body: bytes) -> dict[str, str]:
    """The fields of a token request; the app's id and secret may stand in a header."""
    form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
    authorization = headers.get("authorization", "")
    if "client_id" not in form and authorization.startswith("Basic "):
        pair = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        form |= {"client_id": unquote(pair[0]), "client_secret": unquote(pair[2])}
    return form


def _wrong_scope(tenant: SimulatedTenant, form: Mapping[str, str]) -> int:
    """The number that the scope is refused with; 0 for that of Graph in the tenant's cloud."""
    scope = form.get("scope")
    if scope == CLOUDS[tenant.cloud].scope:
        return 0
    if not scope:
        return 900144
    return 900382 if any(scope == cloud.scope for cloud in CLOUDS.values()) else 70011


def _wrong_delegation(tenant: SimulatedTenant, form: Mapping[str, str]) -> int:
    """The number that a request for a device code is refused with; 0 if it names an app, and permissions of Graph in the
    tenant's cloud alone.
    """
    scopes, graph = form.get("scope", "").split(), CLOUDS[tenant.cloud].graph_url
    if not scopes or not form.get("client_id"):
        return 900144
    return 0 if all("://" not in scope or scope.startswith(f"{graph}/") for scope in scopes) else 70011


def _wrong_app(tenant: SimulatedTenant, form: Mapping[str, str], audience: str) -> int:
    """The number that the app is refused with; 0 if it proved to be the tenant's."""
    if "client_assertion" in form and form.get("client_assertion_type") == _ASSERTION:
        return assertions.refusal(tenant, CLIENT_ID, form["client_assertion"], audience)
    if "client_secret" not in form:
        return 7000218
    right = form.get("client_id") == CLIENT_ID and form["client_secret"] == secret(tenant.slug)
    return 0 if right else 7000215


def _refused(number: int) -> Reply:
    status, error, description = _REFUSALS.get(number, (400, "invalid_request", "The sign-in was refused."))
    return Reply(status, {"error": error, "error_description": f"AADSTS{number}: {description}"})


def _cloud_of(token: str) -> str:
    """The cloud that a token carries; empty for one that a test has put there."""
    parts = token.split(".")
    return parts[1] if len(parts) == 3 else ""
