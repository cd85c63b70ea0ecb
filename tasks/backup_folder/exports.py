"""Folders as other tools export them (Micke-K/IntuneManagement, almenscorner/IntuneCD and others), as items of a backup."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from store.errors import InputInvalid
from store.intune.backup_records import BackupItem
from tasks.backup_folder import files
from tasks.backup_folder.items import LONGEST_ID, Found, group_names, item_of
from tasks.backup_folder.records import is_record
from tasks.graph.resources import BY_NAME
from tasks.graph.simulator.folder_contents import FolderContents, path_text
from tasks.graph.simulator.folder_decoding import UnreadableError
from tasks.graph.simulator.folder_parts import Policy
from tasks.graph.simulator.folder_report import plain
from tasks.graph.simulator.tenants import guid

#: Where IntuneManagement keeps the names of the groups that its files refer to, in lower case.
_TABLE: Final = "migrationtable.json"


@dataclass(slots=True)
class Export:
    """A folder of another tool, read whole: parts of an object may lie in any file."""

    #: Those of a known kind, without groups, and without those found twice.
    policies: list[tuple[str, Policy]] = field(default_factory=list)
    #: Path and reason of what gave no item.
    left: list[tuple[str, str]] = field(default_factory=list)
    #: Names of objects, by kind and id in lower case.
    names: dict[tuple[str, str], str] = field(default_factory=dict)

    def items(self) -> Iterator[BackupItem]:
        """The items, in the order of their paths."""
        for id_, policy in self.policies:
            yield _item(id_, policy, self.names)


def load(folder: Path) -> Export:
    """Read a folder. Raises InputInvalid, on one line: nothing in it is of a known kind, or it is a backup of ours that was
    not finished.
    """
    export = Export()
    contents = FolderContents(folder, lambda path: _load(folder, path))
    seen = 0
    for path, reason in files.walk(folder):
        seen += 1
        if reason:
            export.left.append((path_text(path.relative_to(folder)), reason))
        elif path.name.lower() != _TABLE or not _take_table(folder, path, export.names):
            contents.read(path)
    contents.finish()
    export.names.update(_names(contents.policies))
    export.left += [*contents.failed.items(), *contents.unknown]
    _choose(contents.policies, export)
    if not export.policies:
        raise InputInvalid(f"{plain(str(folder), 1000)} holds no object of a known kind", _why_empty(seen, export.left))
    return export


def _load(folder: Path, path: Path) -> Any:
    loaded = files.load(folder, path)
    if is_record(loaded):
        raise InputInvalid(
            f"{plain(str(folder), 1000)} is a backup that was not finished: it has no backup.json", "export it again"
        )
    return loaded


def _take_table(folder: Path, path: Path, names: dict[tuple[str, str], str]) -> bool:
    """Take the names of groups out of a migration table: `{"Objects": [{"Id", "DisplayName", "Type": "Group"}]}`."""
    try:
        loaded = files.load(folder, path)
    except UnreadableError:
        return False  # it fails again as one of the files, and is named there
    rows = loaded.get("Objects") if isinstance(loaded, dict) else None
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict) and row.get("Type") == "Group" and row.get("Id") and row.get("DisplayName"):
            names["groups", str(row["Id"]).lower()] = str(row["DisplayName"])
    return isinstance(rows, list)


def _names(policies: Iterable[Policy]) -> Iterator[tuple[tuple[str, str], str]]:
    for policy in policies:
        if policy.given_id and (name := policy.body.get("displayName") or policy.body.get("name")):
            yield (policy.kind, policy.given_id.lower()), str(name)
        yield from ((("groups", id_.lower()), name) for id_, name in group_names(policy.body) if id_)


def _choose(policies: Iterable[Policy], export: Export) -> None:
    """Take those that can be items. Of two of a kind with one id, the first is taken."""
    taken: dict[tuple[str, str], str] = {}
    for policy in policies:
        if policy.kind not in BY_NAME:
            continue  # groups: only their names are of use
        path = path_text(policy.path)
        # By the place, so that other files do not change it, and the next export of the same tool has it again.
        id_ = policy.given_id or guid("backup folder", path, policy.number)
        if len(id_) > LONGEST_ID:
            export.left.append((path, f"id: longer than {LONGEST_ID} characters"))
        elif other := taken.get((policy.kind, id_)):
            export.left.append((path, f"the same object as in {plain(other)}"))
        else:
            taken[policy.kind, id_] = path
            export.policies.append((id_, policy))


def _item(id_: str, policy: Policy, names: Mapping[tuple[str, str], str]) -> BackupItem:
    kind = BY_NAME[policy.kind]
    given = policy.body.get("assignments")
    body = {key: value for key, value in policy.body.items() if key != "assignments"}
    assignments = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else None
    return item_of(Found(kind, id_, body, assignments if kind.assign else []), names)


def _why_empty(seen: int, left: list[tuple[str, str]]) -> str:
    first = f", the first is {plain(left[0][0])}: {plain(left[0][1])}" if left else ""
    return f"give a folder of exported JSON (files in it: {seen}{first})"
