"""`opsmon backups export` and `import`: a backup set becomes a folder of files, and a folder a backup set."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from opsmon.cli.backup_text import set_as_json
from opsmon.cli.commands.backups import visible_set
from opsmon.cli.commands.runs import DONE, FAILED, PARTIAL
from opsmon.cli.commands.session import Session
from opsmon.output import as_json, cell
from store.db.engine import Database
from store.intune import backup_handover, backup_sets, backups
from store.intune.backup_records import BackupItem, BackupKind, NewSet
from store.intune.backup_sets import BackupSet
from store.model.records import Tenant
from store.people.access import Right, require_right
from store.sanitizer.sanitize import visible
from tasks.backup_folder import BackupFolder, Manifest, Unreadable, Written, read, write

#: Items that are stored in one transaction.
CHUNK: Final = 100
#: The failure of a kind of which files are missing or damaged.
UNREADABLE: Final = "import.unreadable"


# ---- export


def export(session: Session, arguments: argparse.Namespace) -> int:
    """Write a set into a folder. One that is not finished is written as far as it is, and the folder says so. Returns the
    exit code.
    """
    found = visible_set(session, arguments.set_id)
    require_right(session.db, session.user, found.tenant, Right.START, "export its backups")
    folder = Path(arguments.folder).absolute()
    with session.db.read() as connection:
        kinds = tuple(backups.kinds_of(connection, found.id).values())
    manifest = Manifest(found.tenant, found.name, found.created_at, kinds, found.completed_at is not None)
    written = write(folder, manifest, _taken_out(session, found, folder))
    session.output.show(
        {"set": set_as_json(found), "folder": str(written.folder), "items": written.items, "bytes": written.bytes},
        lambda: _export_text(found, written),
    )
    return DONE


def _taken_out(session: Session, found: BackupSet, folder: Path) -> Iterator[BackupItem]:
    """The set's items. The audit event stands before the first body leaves, and after the folder has turned out usable."""
    backup_handover.note_export(
        session.db, session.user, found, {"folder": str(folder), "name": found.name, "items": sum(found.items.values())}
    )
    yield from backup_sets.whole_items(session.db, found.id)
    # A set that was removed meanwhile has given only some of its items: NotFound leaves the folder without backup.json.
    visible_set(session, found.id)


def _export_text(found: BackupSet, written: Written) -> str:
    text = f"Backup set {found.id} of {found.tenant} is in {cell(written.folder)}: {_items(written.items)}."
    if found.completed_at is None:
        text += " The set is unfinished: not everything that was asked for is in it."
    return text


def _items(number: int) -> str:
    return f"{number} item{'' if number == 1 else 's'}"


# ---- import


@dataclass
class _Taken:
    """What a folder gave."""

    #: Numbers of items, by kind.
    kept: Counter[str] = field(default_factory=Counter)
    left: list[Unreadable] = field(default_factory=list)

    @property
    def code(self) -> int:
        """The exit code."""
        if not self.left:
            return DONE
        return PARTIAL if self.kept else FAILED


def take(session: Session, arguments: argparse.Namespace) -> int:
    """Make a set of a folder; what cannot be read is named on standard error. Returns the exit code: 4 if only some of it
    could be read, 5 if nothing could, which leaves no set.
    """
    user, db = session.user, session.db
    tenant = require_right(db, user, arguments.tenant, Right.RESTORE, "import backups")
    folder = read(Path(arguments.folder))
    name = folder.manifest.name if arguments.name is None else arguments.name
    new = NewSet(name, {"imported": _origin(folder)}, user.name, source="import")
    with backup_handover.importing(db, tenant, new) as set_id:
        taken = _fill(db, tenant, set_id, folder)
        if taken.code == FAILED:
            backup_handover.discard(db, set_id)
        else:
            detail = {"folder": str(Path(arguments.folder).absolute()), "name": name, **_origin(folder)}
            detail |= {"items": taken.kept.total(), "unreadable": len(taken.left)}
            finished = folder.manifest.is_finished
            backup_handover.note_import(db, user, tenant, set_id, detail, finished=finished)
    _show(session, arguments.folder, None if taken.code == FAILED else visible_set(session, set_id), taken)
    return taken.code


def _origin(folder: BackupFolder) -> dict[str, Any]:
    """Whose set the folder says that it holds."""
    manifest = folder.manifest
    return {"from_tenant": manifest.tenant or None, "from_name": manifest.name, "made_at": as_json(manifest.created_at)}


def _fill(db: Database, tenant: Tenant, set_id: int, folder: BackupFolder) -> _Taken:
    taken, chunk = _Taken(), list[BackupItem]()
    for one in folder:
        if isinstance(one, Unreadable):
            taken.left.append(one)
            sys.stderr.write(f"opsmon: {visible(one.path)}: {visible(one.why)}\n")
            continue
        chunk.append(one)
        taken.kept[one.kind] += 1
        if len(chunk) == CHUNK:
            backups.add(db, tenant.id, set_id, chunk)
            chunk = []
    backups.add(db, tenant.id, set_id, chunk, _kinds(folder, taken.kept))
    return taken


def _kinds(folder: BackupFolder, kept: Counter[str]) -> list[BackupKind]:
    """How far the kinds of the set are: as the folder says, or else as far as anybody knows."""
    said = {one.kind: one for one in folder.manifest.kinds} if folder.is_ours else {}
    known = [_known(one, kept[one.kind]) for one in said.values()]
    if not folder.manifest.is_finished:  # such a kind was still being read
        return known
    # Nobody knows what the other tool, or who put files into the folder, left out.
    return known + [BackupKind(kind, n, n, narrowed=True) for kind, n in kept.items() if kind not in said]


def _known(said: BackupKind, kept: int) -> BackupKind:
    """How far a kind is of which the folder says how far it was, and gave `kept` items."""
    code, message = said.failure_code, said.failure_message
    there = max(said.found, said.kept)
    if kept < there and code is None:
        code, message = UNREADABLE, f"{there - kept} of {there} could not be read from the folder"
    return BackupKind(said.kind, max(said.found, kept), kept, code, message, said.narrowed)


def _show(session: Session, folder: str, made: BackupSet | None, taken: _Taken) -> None:
    sys.stderr.flush()
    session.output.show(
        {
            "set": made and set_as_json(made),
            "items": taken.kept.total(),
            "unreadable": [{"path": one.path, "why": one.why} for one in taken.left],
        },
        lambda: _import_text(folder, made, taken),
    )


def _import_text(folder: str, made: BackupSet | None, taken: _Taken) -> str:
    if made is None:
        return f"Nothing of {cell(folder)} could be read: no backup set is made."
    text = f"{cell(folder)} is backup set {made.id} of {made.tenant} now: {_items(taken.kept.total())}."
    if taken.left:
        text += f" What could not be read: {len(taken.left)}."
    return text if made.completed_at else f"{text} The set is unfinished, as the one that was exported."
