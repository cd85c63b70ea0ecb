"""Loads a simulated tenant from a folder of exported JSON, as the tools and people leave it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from store.errors import InputInvalid
from tasks.graph.simulator.folder_contents import FolderContents, path_text
from tasks.graph.simulator.folder_parts import Policy
from tasks.graph.simulator.folder_report import FolderReport
from tasks.graph.simulator.tenants import SimulatedTenant, guid

__all__ = ["FolderReport", "from_folder", "load_folder"]


def from_folder(slug: str, folder: Path) -> SimulatedTenant:
    """The tenant of `load_folder`, without the report."""
    return load_folder(slug, folder)[0]


def load_folder(slug: str, folder: Path) -> tuple[SimulatedTenant, FolderReport]:
    """Load a tenant from the folder's *.json files in any depth, and tell what became of them.

    Bodies are kept word for word, except that a body without an id gets one derived from its file's path and its
    position in the file, so other files do not change it. Of two objects of a kind with the same id the one with the
    first path is kept. Raises InputInvalid, on one line, if there is no such folder or nothing in it is of a known kind.
    """
    if not folder.is_dir():
        raise InputInvalid(f"{folder} is no folder", "give a folder of exported JSON")
    contents = FolderContents(folder)
    files = _files(folder)
    for path in files:
        contents.read(path)
    contents.finish()
    tenant, doubled = _tenant_of(slug, contents.policies)
    report = FolderReport(
        files=len(files),
        kept={kind: len(objects) for kind, objects in tenant.objects.items() if objects},
        doubled={kind: count for kind, count in doubled.items() if count},
        unknown=dict(Counter(reason for _, reason in contents.unknown).most_common()),
        failed=tuple(contents.failed.items()),
    )
    if not report.kept:
        raise InputInvalid(f"{folder} holds no object of a known kind", report.why_empty())
    return tenant, report


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() == ".json" and not path.is_dir())


def _tenant_of(slug: str, policies: Iterable[Policy]) -> tuple[SimulatedTenant, Counter[str]]:
    """The tenant with these objects, and how many of each kind were found twice."""
    tenant = SimulatedTenant(slug)
    doubled: Counter[str] = Counter()
    alike: set[tuple[str, str]] = set()
    for policy in policies:
        given = policy.given_id
        if not given:
            # Both are kept: if one were left out, a file could take away another's id.
            look = (policy.kind, json.dumps(policy.body, sort_keys=True))
            doubled[policy.kind] += look in alike
            alike.add(look)
            given = guid(slug, path_text(policy.path), policy.number)
        elif given in tenant.objects[policy.kind]:
            doubled[policy.kind] += 1
            continue
        tenant.put(policy.kind, {**policy.body, "id": given})
    return tenant, doubled
