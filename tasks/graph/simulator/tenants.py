"""Contents of a simulated tenant: generated from a seed, or loaded from a folder of exported JSON."""

from __future__ import annotations

import itertools
import json
import random
import threading
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from store.errors import InputInvalid
from tasks.graph.resources import KINDS

_NAMESPACE: Final = uuid.UUID("6f70736d-6f6e-5369-6d75-6c61746f7231")
CLIENT_ID: Final = "opsmon"

_ODATA_TYPES: Final = {
    "configuration_policies": "",
    "device_configurations": "#microsoft.graph.windows10GeneralConfiguration",
    "compliance_policies": "#microsoft.graph.windows10CompliancePolicy",
    "mobile_apps": "#microsoft.graph.winGetApp",
    "scripts": "#microsoft.graph.deviceManagementScript",
    "assignment_filters": "#microsoft.graph.deviceAndAppManagementAssignmentFilter",
    "scope_tags": "#microsoft.graph.roleScopeTag",
    "role_definitions": "#microsoft.graph.deviceAndAppManagementRoleDefinition",
}
#: Weights of the kinds in a generated tenant; every other kind has weight 1.
_SHARES: Final[Mapping[str, int]] = {
    "configuration_policies": 6,
    "device_configurations": 4,
    "compliance_policies": 3,
    "mobile_apps": 3,
    "scripts": 1,
}
_PLACES: Final = ("Berlin", "Kraków", "Zürich", "Århus", "Porto", "Tallinn", "O'Fallon", "São Paulo")
_SUBJECTS: Final = (
    "BitLocker",
    "Defender",
    "Firewall",
    "Wi-Fi",
    "VPN",
    "Edge",
    "OneDrive",
    "Passcode",
    "Updates",
    "Kiosk",
)


#: Ends of @odata.type in lower case, and their kinds. None: not in the inventory, although a later ending would match.
_BY_TYPE: Final[tuple[tuple[str, str | None], ...]] = (
    ("enrollmentcompletionpageconfiguration", None),
    ("enrollmentrestrictionsconfiguration", None),
    ("enrollmentlimitconfiguration", None),
    ("devicemanagementconfigurationpolicy", "configuration_policies"),
    ("compliancepolicy", "compliance_policies"),
    ("devicemanagementscript", "scripts"),
    ("assignmentfilter", "assignment_filters"),
    ("rolescopetag", "scope_tags"),
    ("roledefinition", "role_definitions"),
    ("mobileappconfiguration", None),
    ("managedappconfiguration", None),
    ("app", "mobile_apps"),
    ("appx", "mobile_apps"),
    ("webclip", "mobile_apps"),
    ("mobilemsi", "mobile_apps"),
    ("configuration", "device_configurations"),
    ("certificateprofile", "device_configurations"),
    ("trustedrootcertificate", "device_configurations"),
)
#: Folder names in exports, without blanks and dashes. Linux compliance policies look like settings catalog policies.
_BY_FOLDER: Final = (
    ("compliance", "compliance_policies"),
    ("mobileapps", "mobile_apps"),
    ("scopetags", "scope_tags"),
    ("roledefinitions", "role_definitions"),
    ("deviceconfigurations", "device_configurations"),
)
_BY_SHAPE: Final = (
    ({"rule", "platform"}, "assignment_filters"),
    ({"scriptContent"}, "scripts"),
    ({"settings", "technologies"}, "configuration_policies"),
)


def directory_id(slug: str) -> str:
    """The directory id of a simulated tenant: always the same for a slug."""
    return str(uuid.uuid5(_NAMESPACE, slug))


def secret(slug: str) -> str:
    """The client secret of the app `opsmon` in a simulated tenant."""
    return f"simulated-{directory_id(slug)}"


@dataclass
class SimulatedTenant:
    """A tenant's objects by kind and id, in listing order. Access is guarded by `lock`."""

    slug: str
    objects: dict[str, dict[str, dict[str, Any]]] = field(default_factory=lambda: {kind.name: {} for kind in KINDS})
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
            return id_

    def _new_id(self, kind: str) -> str:
        # After a deletion the number may be in use already: do not replace another object.
        numbers = itertools.count(len(self.objects[kind]))
        ids = (str(uuid.uuid5(_NAMESPACE, f"{self.slug}/{kind}/{number}")) for number in numbers)
        return next(id_ for id_ in ids if id_ not in self.objects[kind])

    def delete(self, kind: str, id_: str) -> bool:
        """Remove an object. Returns whether it existed."""
        with self.lock:
            return self.objects[kind].pop(id_, None) is not None

    def listed(self, kind: str) -> list[dict[str, Any]]:
        """The objects of a kind, in listing order."""
        with self.lock:
            return list(self.objects[kind].values())


def synthetic(slug: str, seed: int, policies: int) -> SimulatedTenant:
    """Generate a tenant with `policies` objects across all kinds; equal arguments give equal tenants."""
    chance = random.Random(f"{slug}/{seed}")  # noqa: S311 (reproducible, not secret)
    tenant = SimulatedTenant(slug)
    for number in range(policies):
        kind = _pick_kind(chance, number)
        tenant.put(kind, _object(chance, kind, number))
    return tenant


def _pick_kind(chance: random.Random, number: int) -> str:
    if number < len(KINDS):  # every kind has at least one
        return KINDS[number].name
    rest: list[str] = [kind.name for kind in KINDS if kind.name not in _SHARES]
    return chance.choice([name for name, share in _SHARES.items() for _ in range(share)] + rest)


def _object(chance: random.Random, kind: str, number: int) -> dict[str, Any]:
    name = f"{chance.choice(_SUBJECTS)} {chance.choice(_PLACES)} {number:04}"
    stamp = f"2026-{chance.randint(1, 10):02}-{chance.randint(1, 28):02}T{chance.randint(0, 23):02}:00:00Z"
    made: dict[str, Any] = {
        "description": f"Simulated: {name}",
        "lastModifiedDateTime": stamp,
        "createdDateTime": stamp,
    }
    made["name" if kind == "configuration_policies" else "displayName"] = name
    if kind == "configuration_policies":
        return {**made, "platforms": "windows10", "technologies": "mdm", "settingCount": chance.randint(1, 60)}
    return {"@odata.type": _ODATA_TYPES[kind], **made}


def from_folder(slug: str, folder: Path) -> SimulatedTenant:
    """Load a tenant from the policy bodies in the folder's *.json files. Skips everything that is not of a known kind.

    A body without an id gets one derived from its file's name and its position in the file, so other files do not
    change it. Raises InputInvalid, on one line, if the folder cannot be read, a file is not JSON, or no policy was
    found.
    """
    tenant = SimulatedTenant(slug)
    if not folder.is_dir():
        raise InputInvalid(f"{folder} is no folder", "give a folder of exported JSON")
    for path in sorted(folder.rglob("*.json")):
        within = path.relative_to(folder)
        for number, body in enumerate(_bodies(path)):
            if kind := kind_of(body, within):
                made = str(uuid.uuid5(_NAMESPACE, f"{slug}/{within.as_posix()}/{number}"))
                tenant.put(kind, {**body, "id": body.get("id") or made})
    if not any(tenant.objects.values()):
        raise InputInvalid(f"{folder} holds no policy of a known kind", "give a folder of exported JSON")
    return tenant


def _bodies(path: Path) -> Iterable[dict[str, Any]]:
    try:
        loaded = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise InputInvalid(f"{path} is not JSON ({type(error).__name__})", "fix or remove it") from None
    found = loaded.get("value", loaded.get("filters", loaded)) if isinstance(loaded, dict) else loaded
    return [body for body in (found if isinstance(found, list) else [found]) if isinstance(body, dict)]


def kind_of(body: Mapping[str, Any], path: Path) -> str | None:
    """The kind of a body: by its @odata.type, else by the folder names in `path`, else by its keys.

    None if it is not of a kind in the inventory.
    """
    odata = str(body.get("@odata.type", "")).lower()
    for ending, kind in _BY_TYPE:
        if odata.endswith(ending):
            return kind
    folders = "/".join(path.parts[:-1]).lower().replace(" ", "").replace("_", "").replace("-", "")
    return next((known for name, known in _BY_FOLDER if name in folders), None) or _kind_by_shape(body)


def _kind_by_shape(body: Mapping[str, Any]) -> str | None:
    return next((kind for keys, kind in _BY_SHAPE if keys <= set(body)), None)
