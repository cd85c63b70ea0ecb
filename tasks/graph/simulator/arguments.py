"""What the command lines of the simulator take: tenants and faults as text, and the port to listen on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from store.errors import InputInvalid, OpsmonError
from store.people.access import SLUG
from tasks.graph.clouds import GLOBAL, find_cloud
from tasks.graph.simulator.faults import Fault
from tasks.graph.simulator.folder_report import FolderReport
from tasks.graph.simulator.folders import load_folder
from tasks.graph.simulator.server import Simulator
from tasks.graph.simulator.synthetic import GROUPS, synthetic
from tasks.graph.simulator.tenants import SimulatedTenant

TENANT_HINT: Final = "SLUG=seed:7,policies:300,groups:2000,cloud:gcc_high or SLUG=folder:PATH"
PAGE_SIZE: Final = 50
#: A seed, or a number of objects.
_NUMBER: Final = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class GivenTenant:
    """A tenant, and what became of its folder's files; None if it was made from a seed."""

    tenant: SimulatedTenant
    report: FolderReport | None = None


def parse_tenant(text: str) -> GivenTenant:
    """The tenant of `SLUG=seed:7,policies:300,groups:2000,cloud:gcc_high`, where each part can be left out, or of
    `SLUG=folder:PATH`. Raises InputInvalid.
    """
    slug, _, what = text.partition("=")
    if not SLUG.fullmatch(slug):
        raise InputInvalid(f"'{text}' names no tenant", f"write {TENANT_HINT}; a slug has a-z, 0-9 and dashes")
    if what.startswith("folder:"):
        return GivenTenant(*load_folder(slug, Path(what.removeprefix("folder:"))))
    given = dict(pair.partition(":")[::2] for pair in what.split(",") if pair)
    cloud = find_cloud(given.pop("cloud", GLOBAL.name)).name
    numbers = {"seed": "1", "policies": "100", "groups": str(GROUPS)} | given
    if len(numbers) > 3 or not all(map(_NUMBER.fullmatch, numbers.values())):
        raise InputInvalid(f"'{text}' is no tenant", f"write {TENANT_HINT}")
    tenant = synthetic(slug, *(int(numbers[name]) for name in ("seed", "policies", "groups")))
    tenant.cloud = cloud
    return GivenTenant(tenant)


def parse_tenants(texts: Iterable[str]) -> list[GivenTenant]:
    """Each as `parse_tenant` has it. Raises InputInvalid, also for a slug that is there twice."""
    found: list[GivenTenant] = []
    for text in texts:
        found.append(parse_tenant(text))
        slug = found[-1].tenant.slug
        if slug in (one.tenant.slug for one in found[:-1]):
            raise InputInvalid(f"tenant '{slug}' is there twice", "name each once")
    return found


def parse_faults(texts: Iterable[str]) -> list[Fault]:
    """The faults of all texts. Raises InputInvalid."""
    return [fault for text in texts for fault in faults_from(text)]


def faults_from(text: str) -> list[Fault]:
    """Parse a fault, or a list of faults, from JSON. Raises InputInvalid."""
    try:
        given = json.loads(text)
        return [Fault.from_json(one) for one in (given if isinstance(given, list) else [given])]
    except (ValueError, TypeError):
        raise InputInvalid(f"'{text}' is no fault", 'write {"path": "/x", "status": 403}') from None


def listen(
    tenants: Iterable[SimulatedTenant], port: int, faults: Iterable[Fault] = (), page_size: int = PAGE_SIZE
) -> Simulator:
    """The simulator on its port, to be used in `with`. Port 0 takes a free one. Raises OpsmonError if the port is taken."""
    try:
        simulator = Simulator(tenants, port, page_size)
    except OSError as error:
        raise OpsmonError(f"cannot listen on port {port} ({error.strerror})", "choose another") from None
    for fault in faults:
        simulator.faults.add(fault)
    return simulator
