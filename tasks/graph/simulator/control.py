"""The control interface of the simulator, below `/_simulator/`: faults, objects, permissions, approvals and the like, over
HTTP. It asks for no token.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from store.errors import InputInvalid
from tasks.graph.simulator.faults import Fault, Faults
from tasks.graph.simulator.request import Reply
from tasks.graph.simulator.tenants import KEPT, SimulatedTenant

PREFIX: Final = "/_simulator/"
#: What a delta link that has ended can be answered with.
_ENDS: Final = (400, 410)


class _NoSuchControl(Exception):
    """There is nothing at this path."""


@dataclass(frozen=True, slots=True)
class Control:
    """Changes what is simulated."""

    #: By directory id.
    tenants: Mapping[str, SimulatedTenant]
    faults: Faults
    #: Every answered request: (method, path, status).
    requests: list[tuple[str, str, int]]

    def respond(self, method: str, path: str, body: bytes) -> Reply:
        """The reply: 400 for what cannot be, 404 for a path that is none."""
        try:
            answer = self._route(method, path.removeprefix(PREFIX).strip("/").split("/"), body)
        except _NoSuchControl:
            return Reply(404, {"error": "no such control"})
        except (ValueError, KeyError, TypeError, InputInvalid) as error:
            return Reply(400, {"error": f"{type(error).__name__}: {error}"})
        return Reply(200, {"ok": True} if answer is None else answer)

    def _route(self, method: str, parts: list[str], body: bytes) -> Any:
        match method, parts:
            case "POST", ["faults"]:
                given = json.loads(body)
                for fault in [Fault.from_json(one) for one in (given if isinstance(given, list) else [given])]:
                    self.faults.add(fault)
            case "DELETE", ["faults"]:
                self.faults.clear()
            case "GET", ["requests"]:
                return self.requests
            case _, [slug, *rest] if rest:
                _change(self._tenant(slug), method, rest, json.loads(body or b"{}"))
            case _:
                raise _NoSuchControl
        return None

    def _tenant(self, slug: str) -> SimulatedTenant:
        found = next((tenant for tenant in self.tenants.values() if tenant.slug == slug), None)
        if found is None:
            raise ValueError(f"there is no tenant '{slug}'")
        return found


def _change(tenant: SimulatedTenant, method: str, parts: list[str], given: Any) -> None:
    match method, parts:
        case "POST", ["deltas"]:
            tenant.end_deltas(_status(given))
        case "PUT", ["permissions"]:
            tenant.granted = None if given is None else frozenset(_texts(given))
        case "PUT", ["protected"]:
            tenant.protected = _kinds(given)
        case "POST", ["approvals", code]:
            tenant.approvals.decide(code, _fields(given, "status")["status"])
        case "PUT", ["device_code"]:
            _script_device_code(tenant, given)
        case "PUT", [kind, id_]:
            tenant.put(kind, {**given, "id": id_})
        case "DELETE", [kind, id_]:
            tenant.delete(kind, id_)
        case _:
            raise _NoSuchControl


def _status(given: Any) -> int:
    status = _fields(given, "status").get("status", _ENDS[0])
    if status not in _ENDS:
        raise ValueError("status: 400 or 410")
    return int(status)


def _fields(given: Any, *known: str) -> dict[str, Any]:
    if not isinstance(given, dict) or set(given) - set(known):
        raise ValueError(f"an object is expected, of {', '.join(known)}")
    return given


def _texts(given: Any) -> list[str]:
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise ValueError("a list of texts is expected")
    return given


def _kinds(given: Any) -> set[str]:
    kinds = set(_texts(given))
    if unknown := kinds - set(KEPT):
        raise ValueError(f"there is no kind '{min(unknown)}'")
    return kinds


def _script_device_code(tenant: SimulatedTenant, given: Any) -> None:
    fields = _fields(given, "answers", "interval")
    answers, interval = (
        _texts(fields.get("answers", tenant.device_answers)),
        fields.get("interval", tenant.device_interval),
    )
    if type(interval) is not int or interval < 0:
        raise ValueError("interval: a number of seconds")
    tenant.device_answers, tenant.device_interval = answers, interval
