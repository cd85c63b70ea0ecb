"""What a simulated tenant holds: its objects, whole, and who may sign in."""

from __future__ import annotations

import itertools
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tasks.graph.clouds import GLOBAL
from tasks.graph.resources import KINDS
from tasks.graph.simulator.approvals import Approvals

_NAMESPACE: Final = uuid.UUID("6f70736d-6f6e-5369-6d75-6c61746f7231")
CLIENT_ID: Final = "opsmon"
#: A public client that people may sign in through; the simulator takes any other, too.
DELEGATED_CLIENT_ID: Final = str(uuid.uuid5(_NAMESPACE, "delegated"))
#: The kind of definitions of administrative templates that are not built in: those of ADMX files that were uploaded, each with
#: its `presentations`.
DEFINITIONS: Final = "group_policy_definitions"
#: What a tenant has objects of.
KEPT: Final[tuple[str, ...]] = (*(kind.name for kind in KINDS), "groups", DEFINITIONS)


def guid(*parts: object) -> str:
    """An id in the shape of a GUID: always the same for the same parts."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(map(str, parts))))


def directory_id(slug: str) -> str:
    """The directory id of a simulated tenant: always the same for a slug."""
    return guid(slug)


def secret(slug: str) -> str:
    """The client secret of the app `opsmon` in a simulated tenant."""
    return f"simulated-{directory_id(slug)}"


@dataclass
class SimulatedTenant:
    """A tenant's objects by kind and id, in listing order. Access is guarded by `lock`."""

    slug: str
    objects: dict[str, dict[str, dict[str, Any]]] = field(default_factory=lambda: {kind: {} for kind in KEPT})
    #: Permissions of the app, such as `DeviceManagementRBAC.Read.All`; None for all. A read is granted by ReadWrite, too.
    granted: frozenset[str] | None = None
    #: The cloud that the tenant is in, by its name in `tasks.graph.clouds`.
    cloud: str = GLOBAL.name
    #: Certificates of the app, as PEM, without their keys.
    certificates: list[str] = field(default_factory=list, repr=False)
    #: Federated tokens that the app may sign in with, as a workload identity's issuer would have made them.
    federated: set[str] = field(default_factory=set, repr=False)
    #: The number AADSTS… that every sign-in is refused with; 0 for none.
    sign_in_refusal: int = 0
    #: What the polls for a device code's token are answered with, in order; the last one stays. `success`, a number AADSTS…,
    #: or the word of an error, such as `authorization_pending`.
    device_answers: list[str] = field(default_factory=lambda: ["authorization_pending", "success"])
    #: Seconds between two polls, at least: who polls faster is told to slow down. 0 lets everybody poll as they like.
    device_interval: int = 5
    #: Seconds that a token is said to be good for.
    token_seconds: int = 3599
    #: Kinds whose writes somebody has to approve (Multi Admin Approval).
    protected: set[str] = field(default_factory=set)
    #: Templates of settings catalog policies, by id, of which it knows another version: it refuses their setting references.
    unknown_templates: set[str] = field(default_factory=set)
    #: Scope tags, by id, that the app's role does not allow on what it writes.
    forbidden_tags: set[str] = field(default_factory=set)
    approvals: Approvals = field(default_factory=Approvals, repr=False)
    #: Counts the changes.
    sequence: int = 0
    #: The number of the last change of an object, by kind and id.
    changed: dict[tuple[str, str], int] = field(default_factory=dict, repr=False)
    #: The number of the removal of an object, and its reason in a delta.
    removed: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict, repr=False)
    #: Delta links of an earlier epoch have ended.
    delta_epoch: int = 0
    #: What a delta link that has ended is answered with: 400, or 410.
    delta_ends_with: int = 400
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def directory(self) -> str:
        """The directory id of the tenant."""
        return directory_id(self.slug)

    def put(self, kind: str, item: Mapping[str, Any]) -> str:
        """Add or replace an object. Returns its id; a missing id is derived from the slug, the kind and the object's number."""
        with self.lock:
            known = self.objects[kind]
            id_ = str(item.get("id") or self._new_id(kind))
            known[id_] = {**item, "id": id_}
            self.sequence += 1
            self.changed[kind, id_] = self.sequence
            self.removed.pop((kind, id_), None)
            return id_

    def _new_id(self, kind: str) -> str:
        # After a deletion the number may be in use already: do not replace another object, nor give an id a second time.
        numbers = itertools.count(len(self.objects[kind]))
        ids = (guid(self.slug, kind, number) for number in numbers)
        return next(id_ for id_ in ids if id_ not in self.objects[kind] and (kind, id_) not in self.removed)

    def delete(self, kind: str, id_: str, reason: str = "deleted") -> bool:
        """Remove an object. Returns whether it existed. `reason`: what a delta says of it, `changed` for one that can be
        restored.
        """
        with self.lock:
            self.sequence += 1
            self.changed.pop((kind, id_), None)
            self.removed[kind, id_] = (self.sequence, reason)
            return self.objects[kind].pop(id_, None) is not None

    def end_deltas(self, status: int = 400) -> None:
        """End all delta links that were given out; they are answered with this status from now on."""
        self.delta_epoch += 1
        self.delta_ends_with = status

    def listed(self, kind: str) -> list[dict[str, Any]]:
        """The objects of a kind, whole, in listing order."""
        with self.lock:
            return list(self.objects[kind].values())

    def allows(self, permission: str) -> bool:
        """Whether the app may do what needs this permission."""
        if self.granted is None:
            return True
        return permission in self.granted or permission.replace(".Read.", ".ReadWrite.") in self.granted
