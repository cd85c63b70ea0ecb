"""Multi Admin Approval: a write to a protected kind is remembered, and carried out once after somebody approved it.

Source: Microsoft's page "Multi Admin Approval with the Graph API"
(https://learn.microsoft.com/intune/fundamentals/role-based-access-control/multi-admin-approval-graph-api), and what
people met (microsoft/Microsoft365DSC#7236).
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from tasks.graph.simulator.request import GraphError, Reply, Request

#: Headers, as a request has them: in lower case.
JUSTIFICATION: Final = "x-msft-approval-justification"
CODE: Final = "x-msft-approval-code"
#: Characters of a justification, decoded.
LONGEST: Final = 1024
STATUSES: Final = ("needsApproval", "approved", "rejected", "cancelled", "expired")
_WAITS_FOR: Final = dt.timedelta(days=3)


@dataclass
class Approval:
    """A write that waits to be approved, or that was."""

    method: str
    #: Version, path and query.
    url: str
    #: The body as JSON with sorted keys.
    body: str
    justification: str
    code: str = field(default_factory=lambda: str(uuid.uuid4()))
    asked_at: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))
    status: str = STATUSES[0]
    #: It was carried out.
    is_used: bool = False

    def shown(self) -> dict[str, Any]:
        """The approval as Graph lists it."""
        return {
            "id": self.code,
            "status": self.status,
            "requestDateTime": _instant(self.asked_at),
            "expirationDateTime": _instant(self.asked_at + _WAITS_FOR),
            "requestJustification": self.justification,
        }


class Approvals:
    """The writes of one tenant that somebody has to approve. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: dict[str, Approval] = {}

    def listed(self) -> list[Approval]:
        """All of them, in the order they were asked in."""
        with self._lock:
            return list(self._asked.values())

    def decide(self, code: str, status: str) -> None:
        """Approve a write, reject it, and so on. Raises KeyError for an unknown code, ValueError for an unknown status."""
        if status not in STATUSES:
            raise ValueError(f"a status is one of {', '.join(STATUSES)}")
        with self._lock:
            self._asked[code.lower()].status = status

    def guard(self, request: Request, change: Callable[[], Reply]) -> Reply:
        """The reply to a write to a protected kind: that of `change` if the write is approved. Raises GraphError, with
        412 and the code of the approval if it has to wait for one.
        """
        if CODE not in request.headers:
            raise self._remember(request)
        approval = self._take(request)
        try:
            return change()
        except GraphError:  # nothing was carried out
            approval.is_used = False
            raise

    def _remember(self, request: Request) -> GraphError:
        asked = Approval(request.method, _url(request), _body(request), _justification(request))
        with self._lock:
            self._asked[asked.code] = asked
        return GraphError(412, "BadRequest", "The request needs the approval of an administrator.", {CODE: asked.code})

    def _take(self, request: Request) -> Approval:
        with self._lock:
            approval = self._asked.get(request.headers[CODE].strip().lower())
            if approval is None:
                raise GraphError(400, "BadRequest", f"The value of {CODE} is not known.")
            if (approval.method, approval.url, approval.body) != (request.method, _url(request), _body(request)):
                raise GraphError(400, "BadRequest", "The request is not the one that was sent for approval.")
            if approval.status != "approved":
                raise GraphError(409, "Conflict", f"The status of the approval is {approval.status}.")
            if approval.is_used:
                raise GraphError(409, "Conflict", "The request was carried out already.")
            approval.is_used = True
            return approval


def _justification(request: Request) -> str:
    """The justification, decoded. Raises GraphError."""
    if JUSTIFICATION not in request.headers:
        raise GraphError(400, "BadRequest", f"The resource is protected: the header {JUSTIFICATION} is missing.")
    try:
        text = base64.b64decode(request.headers[JUSTIFICATION], validate=True).decode()
    except ValueError:
        text = ""
    if not text.strip() or len(text) > LONGEST:
        raise GraphError(
            400, "BadRequest", f"The header {JUSTIFICATION} must be base64 of 1 to {LONGEST} characters in UTF-8."
        )
    return text


def _url(request: Request) -> str:
    return f"/{request.version}{request.path}?{request.query}"


def _body(request: Request) -> str:
    return json.dumps(request.body, sort_keys=True)


def _instant(at: dt.datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
