"""The simulated Graph: from a request that is signed in to its reply."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from tasks.graph.resources import BY_NAME
from tasks.graph.simulator import batch, defining, directory, reading, writing
from tasks.graph.simulator.faults import Fault, Faults
from tasks.graph.simulator.query import Query
from tasks.graph.simulator.request import GraphError, Reply, Request
from tasks.graph.simulator.tenants import SimulatedTenant

VERSIONS: Final = ("v1.0", "beta")
#: A fault with this code asks for a sign-in with more proof, as Conditional Access does. Source: MicrosoftDocs/entra-docs,
#: claims-challenge.md. The claims are base64.
CHALLENGE: Final = "insufficient_claims"
_APPROVALS: Final = ["devicemanagement", "operationapprovalrequests"]


@dataclass(frozen=True, slots=True)
class Graph:
    """Answers requests for one tenant."""

    tenant: SimulatedTenant
    #: Objects a page, where the service has no number of its own.
    page_size: int
    faults: Faults

    def respond(self, request: Request) -> Reply:
        """The reply. Errors are replies, too."""
        try:
            if request.version not in VERSIONS:
                raise GraphError(400, "BadRequest", f"Invalid version: {request.version}")
            if request.path.lower() == "/$batch":
                return batch.respond(request, self._item)
            return self._route(request)
        except GraphError as error:
            return error.reply(request.path, request.headers.get("client-request-id", ""))

    def _item(self, request: Request) -> Reply:
        """The reply to an item of a batch: a fault may strike it by itself."""
        path = f"/{request.version}{request.path}"
        fault = self.faults.strike(path, self.tenant.slug, request.method, request.query)
        return refused(fault, path) if fault and fault.status else self.respond(request)

    def _route(self, request: Request) -> Reply:
        if directory.concerns(request):
            return directory.respond(self.tenant, request, self.page_size)
        if request.version == "beta" and [part.lower() for part in request.parts[:2]] == _APPROVALS:
            return self._approvals(request)
        if defining.concerns(request):
            return defining.respond(self.tenant, request, self.page_size)
        collection, _ = reading.find_collection(request)
        resource = BY_NAME[collection.kind]
        writes = resource.write_permission
        if request.method == "GET":
            reading.require(self.tenant, resource.read_permission, writes)
            return reading.get(self.tenant, request, self.page_size)
        reading.require(self.tenant, writes)
        if collection.kind in self.tenant.protected:
            return self.tenant.approvals.guard(request, lambda: writing.change(self.tenant, request))
        return writing.change(self.tenant, request)

    def _approvals(self, request: Request) -> Reply:
        """The writes that wait for an approval, or one of them: they are read only, and decided elsewhere."""
        if request.method != "GET":
            raise GraphError(405)
        reading.require(self.tenant, "DeviceManagementRBAC.Read.All")
        query, there = Query.parse(request.query), [one.shown() for one in self.tenant.approvals.listed()]
        query.check(("$select", "$filter", "$top"))
        if not request.parts[2:]:
            answer = reading.page(request, query, query.selected(there, ("status",)), query.top or self.page_size)
            return Reply(200, {**answer, "value": [query.cut(one) for one in answer["value"]]})
        for one in there:
            if [one["id"]] == request.parts[2:]:
                return Reply(200, {"@odata.context": reading.context(request), **query.cut(one)})
        raise GraphError(404, "ResourceNotFound", "The approval request was not found.")


def refused(fault: Fault, path: str) -> Reply:
    """The reply of a fault with a status."""
    headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
    if fault.code == CHALLENGE:
        headers["WWW-Authenticate"] = f'Bearer realm="", error="{CHALLENGE}", claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ=="'
    return replace(GraphError(fault.status, fault.code).reply(path), headers=headers)
