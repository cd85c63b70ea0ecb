"""Loads a simulated tenant from a folder of exported JSON, as the tools and people leave it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from store.errors import InputInvalid
from tasks.graph.simulator.folder_decoding import UnreadableError, read_json
from tasks.graph.simulator.folder_kinds import kind_of, why_not
from tasks.graph.simulator.folder_parts import Policy, join, part_of, template_of_values
from tasks.graph.simulator.folder_report import FolderReport
from tasks.graph.simulator.folder_wrappers import Found, unwrap
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
    load = _Load(slug, folder)
    for path in _files(folder):
        load.read(path)
    load.finish()
    report = load.report()
    if not report.kept:
        raise InputInvalid(f"{folder} holds no object of a known kind", report.why_empty())
    return load.tenant, report


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() == ".json" and not path.is_dir())


@dataclass
class _Load:
    """A folder while it is read: first every file by itself, then what lies in files of its own is joined."""

    slug: str
    folder: Path
    tenant: SimulatedTenant = field(init=False)
    files: int = 0
    policies: list[Policy] = field(default_factory=list)
    #: Files with a part of a policy, and what they hold.
    parts: list[tuple[Path, Any]] = field(default_factory=list)
    doubled: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    failed: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.tenant = SimulatedTenant(self.slug)

    def read(self, path: Path) -> None:
        self.files += 1
        within = path.relative_to(self.folder)
        try:
            loaded = read_json(path)
            if part_of(within, loaded):
                self.parts.append((within, loaded))
            else:
                self._sort(within, list(unwrap(template_of_values(within, loaded))))
        except UnreadableError as error:
            self.failed[_text(within)] = str(error)

    def _sort(self, within: Path, found: list[Found]) -> None:
        if not any(one.body is not None for one in found) and any(one.broken for one in found):
            raise UnreadableError(next(one.reason for one in found if one.broken))
        if not found:
            self.unknown["empty list"] += 1
        bodies = [one for one in found if one.body is not None]
        for one in found:
            if one.body is None:
                self.unknown[one.reason] += 1
        for number, one in enumerate(bodies):
            self._add(within, number, one)

    def _add(self, within: Path, number: int, found: Found) -> None:
        body = found.body or {}
        if kind := kind_of(body, within, found.hint):
            self.policies.append(Policy(kind, within, number, body))
        else:
            self.unknown[why_not(body)] += 1

    def finish(self) -> None:
        """Join the parts, and put everything into the tenant."""
        for path, loaded in self.parts:
            if reason := join(path, loaded, self.policies):
                self.failed[_text(path)] = reason
        self._put(self.policies)

    def _put(self, policies: Iterable[Policy]) -> None:
        alike: set[tuple[str, str]] = set()
        for policy in policies:
            given = policy.body.get("id")
            if not _is_id(given):
                # Both are kept: if one were left out, a file could take away another's id.
                look = (policy.kind, json.dumps(policy.body, sort_keys=True))
                self.doubled[policy.kind] += look in alike
                alike.add(look)
                given = guid(self.slug, _text(policy.path), policy.number)
            elif str(given) in self.tenant.objects[policy.kind]:
                self.doubled[policy.kind] += 1
                continue
            self.tenant.put(policy.kind, {**policy.body, "id": str(given)})

    def report(self) -> FolderReport:
        return FolderReport(
            files=self.files,
            kept={kind: len(objects) for kind, objects in self.tenant.objects.items() if objects},
            doubled={kind: count for kind, count in self.doubled.items() if count},
            unknown=dict(self.unknown.most_common()),
            failed=tuple(self.failed.items()),
        )


def _is_id(given: object) -> bool:
    return isinstance(given, str | int) and not isinstance(given, bool) and bool(str(given))


def _text(within: Path) -> str:
    """A path as text. Bytes in it that are no UTF-8 are written out, so that it can be hashed and printed."""
    return within.as_posix().encode("utf-8", "backslashreplace").decode()
