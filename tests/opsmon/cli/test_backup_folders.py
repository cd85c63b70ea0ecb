"""`opsmon backups export` and `import`: the same set comes back, and nothing half stays."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from store.db.engine import Database
from store.errors import DatabaseAway, DatabaseReadOnly
from store.intune import backup_sets, backups
from store.intune.backup_records import BackupItem, BackupKind
from store.model.tables import audit_events, contents
from store.model.tables import backup_sets as table
from store.people import access, admin, audit
from store.people.access import Role
from tasks.backup_folder.items import Found, item_of
from tasks.backup_folder.records import record_of
from tasks.graph.resources import BY_NAME
from tests.opsmon.cli.test_backups import make
from tests.opsmon.conftest import Cli, CliHarness, on_both
from tests.support.waiting import HANG
from tests.tasks.backup_folder.bodies import GROUP, files, item, put
from tests.tasks.backup_folder.test_round_trip import by_key
from tests.tasks.backup_folder.test_safe_names import NAMES

Become = Callable[[str], None]
ODD = "\x01 \u2028 \u202e \U0001f512 \\u0000 \ufffd ß\r\n\t'\" <>& " + "x" * 3000


@pytest.fixture
def manager(town: CliHarness) -> CliHarness:
    admin.grant(town.db, town.me, "contoso", Role.MANAGER)
    return town


def kept(db: Database, set_id: int) -> list[tuple[BackupItem, str]]:
    """The items of a set, each with its body as text: `==` does not look at the order of keys."""
    return [(one, json.dumps(one.body)) for one in by_key(list(backup_sets.whole_items(db, set_id)))]


def kinds(db: Database, set_id: int) -> dict[str, BackupKind]:
    with db.read() as connection:
        return backups.kinds_of(connection, set_id)


def events(db: Database, action: str) -> list[Any]:
    query = sa.select(audit_events).where(audit_events.c.action == action).order_by(audit_events.c.id)
    with db.read() as connection:
        return list(connection.execute(query))


def rows(db: Database, of: sa.Table) -> Sequence[Any]:
    with db.read() as connection:
        return connection.execute(sa.select(of)).all()


def names_of_tenants() -> list[BackupItem]:
    """All that tenant case O5 has, with what else is hard to carry."""
    made = [item(name, f"{number:04}") for number, name in enumerate(name for name in NAMES if name)]
    made += [item("Wi-Fi", "A-1"), item("Wi-Fi", "a-1"), item("Wi-Fi", "b/2", "scripts", description=ODD)]
    body = {"id": "na", "displayName": "no assignments"}
    gaps = [("assignments_unknown", "Graph forbids it")]
    made.append(item_of(Found(BY_NAME["device_configurations"], "na", body, None, gaps=gaps)))
    made[0] = replace(made[0], gaps=[("content_missing", ODD), ("reference_lost", f"group {GROUP}")])
    return made


@on_both
def test_what_was_exported_comes_back_equal(opsmon: Cli, manager: CliHarness, tmp_path: Path) -> None:
    items = names_of_tenants() + [
        item(f"more {n}", f"m-{n}", "compliance_policies", n=[n, None, 1.5]) for n in range(150)
    ]
    set_id = make(manager, *items, name="Trailing ")
    failed = BackupKind("intents", 3, 0, "graph.forbidden", ODD, narrowed=True)
    tenant_id = access.memberships_of(manager.db, access.find_user(manager.db, "ann").id)[0].tenant.id
    backups.add(manager.db, tenant_id, set_id, [], [failed])
    out = tmp_path / "out"
    said = opsmon("backups", "export", str(set_id), str(out))
    assert (said.code, said.out) == (0, f"Backup set {set_id} of contoso is in {out}: {len(items)} items.\n")
    taken = opsmon("backups", "import", str(out), "--tenant", "contoso", "--json")
    assert (taken.code, taken.err, taken.json["items"], taken.json["unreadable"]) == (0, "", len(items), [])
    copy = taken.json["set"]
    assert (copy["source"], copy["state"], copy["initiator_name"]) == ("import", "incomplete", "Me Myself")
    assert copy["id"] != set_id
    assert kept(manager.db, copy["id"]) == kept(manager.db, set_id)
    assert len(kept(manager.db, set_id)) == len(items)
    assert kinds(manager.db, copy["id"]) == kinds(manager.db, set_id)
    assert copy["name"] == opsmon("backups", "show", str(set_id), "--json").json["name"]


@on_both
def test_what_leaves_and_what_comes_is_in_the_audit_trail(opsmon: Cli, manager: CliHarness, tmp_path: Path) -> None:
    set_id, out = make(manager, item()), tmp_path / "out"
    assert opsmon("backups", "export", str(set_id), str(out)).code == 0
    (event,) = events(manager.db, "backup_set.exported")
    assert (event.login, event.subject) == (manager.me, f"backup set {set_id}")
    assert event.detail == {"folder": str(out), "name": "Before the change", "items": 1}
    (out / "scripts").mkdir()
    (out / "scripts" / "a.json").write_text("{")
    copy = opsmon("backups", "import", str(out), "--tenant", "contoso", "--name", "again", "--json").json["set"]
    (event,) = events(manager.db, "backup_set.imported")
    assert (event.login, event.subject) == (manager.me, f"backup set {copy['id']}")
    assert (event.detail["items"], event.detail["unreadable"], event.detail["from_tenant"]) == (1, 1, "contoso")
    assert (copy["name"], event.detail["name"], event.detail["from_name"]) == ("again", "again", "Before the change")
    assert copy["selection"]["imported"]["made_at"].endswith("Z")


@on_both
def test_an_unfinished_set_stays_so(opsmon: Cli, manager: CliHarness, tmp_path: Path) -> None:
    set_id, out = make(manager, item(), ended=False), tmp_path / "out"
    said = opsmon("backups", "export", str(set_id), str(out))
    assert (said.code, said.out.split(". ")[1]) == (
        0, "The set is unfinished: not everything that was asked for is in it.\n"
    )  # fmt: skip
    taken = opsmon("backups", "import", str(out), "--tenant", "contoso")
    assert (taken.code, taken.out.split(". ")[1]) == (0, "The set is unfinished, as the one that was exported.\n")
    assert [one["state"] for one in opsmon("backups", "list", "--json").json] == ["unfinished"] * 2


@on_both
def test_what_cannot_be_read_is_named_and_the_rest_is_taken(opsmon: Cli, manager: CliHarness, tmp_path: Path) -> None:
    out = tmp_path / "out"
    set_id = make(manager, item(), item("b", "2"), item("c", "3", "compliance_policies"))
    opsmon("backups", "export", str(set_id), str(out))
    damaged = next(path for path in files(out) if "b_2" in path.name)
    damaged.write_text("{")
    put(out, "compliance_policies/\x1b[2J.json", b"[]")
    answer = opsmon("backups", "import", str(out), "--tenant", "contoso")
    assert answer.code == 4
    odd, broken = answer.err.splitlines()
    assert odd.endswith("2J.json: not an object")
    assert broken == "opsmon: configuration_policies/b_2.json: not JSON at line 1"
    assert "\x1b" not in answer.err
    assert answer.out.endswith(" What could not be read: 2.\n")
    copy = opsmon("backups", "list", "--json").json[0]
    assert (copy["state"], copy["items"]) == ("incomplete", {"whole": 2})
    found = kinds(manager.db, copy["id"])
    assert found["compliance_policies"] == BackupKind("compliance_policies", 1, 1)
    message = "1 of 2 could not be read from the folder"
    assert found["configuration_policies"] == BackupKind("configuration_policies", 2, 1, "import.unreadable", message)


@on_both
def test_numbers_that_do_not_fit_the_files_are_told(opsmon: Cli, manager: CliHarness, tmp_path: Path) -> None:
    """Somebody removed a file, and somebody wrote more into backup.json than there ever was."""
    out = tmp_path / "out"
    opsmon("backups", "export", str(make(manager, item(), item("b", "2", "compliance_policies"))), str(out))
    told = json.loads((out / "backup.json").read_text())
    told["kinds"][0] |= {"found": 7}
    (out / "backup.json").write_text(json.dumps(told))
    next((out / told["kinds"][1]["kind"]).iterdir()).unlink()
    answer = opsmon("backups", "import", str(out), "--tenant", "contoso", "--json")
    assert (answer.code, answer.err) == (4, "opsmon: backup.json: 2 objects were written, 1 files are left\n")
    found = kinds(manager.db, answer.json["set"]["id"])
    assert [(one.found, one.kept, one.failure_message) for one in (found[kind["kind"]] for kind in told["kinds"])] == [
        (7, 1, "6 of 7 could not be read from the folder"),
        (1, 0, "1 of 1 could not be read from the folder"),
    ]


@on_both
def test_of_a_folder_that_gives_nothing_no_set_remains(opsmon: Cli, manager: CliHarness, tmp_path: Path) -> None:
    out = tmp_path / "out"
    opsmon("backups", "export", str(make(manager, item())), str(out))
    next(path for path in files(out) if path.name != "backup.json").write_text("{")
    answer = opsmon("backups", "import", str(out), "--tenant", "contoso")
    assert (answer.code, answer.out) == (5, f"Nothing of {out} could be read: no backup set is made.\n")
    assert opsmon("backups", "import", str(out), "--tenant", "contoso", "--json").json["set"] is None
    assert len(rows(manager.db, table)) == 1
    assert events(manager.db, "backup_set.imported") == []


@on_both
@pytest.mark.parametrize("error", [KeyboardInterrupt, DatabaseAway])
def test_an_import_that_is_interrupted_leaves_nothing(
    opsmon: Cli, manager: CliHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    out, add, calls = tmp_path / "out", backups.add, 0
    opsmon("backups", "export", str(make(manager, *(item("x", f"i-{n}", n=n) for n in range(101)))), str(out))
    with manager.db.write() as connection:
        backups.remove(connection, 1)

    def interrupted(*arguments: Any) -> None:
        nonlocal calls
        if calls := calls + 1:
            add(*arguments)
            if calls == 2:
                raise error

    monkeypatch.setattr(backups, "add", interrupted)
    answer = opsmon("backups", "import", str(out), "--tenant", "contoso")
    assert (answer.code, calls) == ({KeyboardInterrupt: 130, DatabaseAway: 1}[error], 2)
    assert (rows(manager.db, table), rows(manager.db, contents)) == ([], [])
    assert events(manager.db, "backup_set.imported") == []


#: Kills itself when the second part of the items is to be stored.
KILLED = """
import os, signal, sys
from opsmon.cli.main import main
from store.intune import backups
add, calls = backups.add, []
def killed(*arguments):
    calls.append(1)
    if len(calls) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    add(*arguments)
backups.add = killed
main(sys.argv[1:])
"""


@pytest.mark.worker
@pytest.mark.kill
@on_both
def test_an_import_that_is_killed_leaves_a_set_that_says_so(opsmon: Cli, manager: CliHarness, tmp_path: Path) -> None:
    out = tmp_path / "out"
    opsmon("backups", "export", str(make(manager, *(item("x", f"i-{n}", n=n) for n in range(101)))), str(out))
    command = [sys.executable, "-c", KILLED, "backups", "import", str(out), "--tenant", "contoso"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=HANG, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    left = opsmon("backups", "list", "--json").json[0]
    assert (left["source"], left["state"], left["items"]) == ("import", "unfinished", {"whole": 100})
    assert events(manager.db, "backup_set.imported") == []


@on_both
def test_the_export_of_another_tool(opsmon: Cli, manager: CliHarness, tmp_path: Path) -> None:
    folder = tmp_path / "Their export"
    body = {"@odata.type": "#microsoft.graph.windows10CompliancePolicy", "displayName": "BitLocker", "id": "1"}
    put(folder, "CompliancePolicies/BitLocker.json", body)
    put(folder, "odd.json", {"@odata.type": "#microsoft.graph.nothing"})
    answer = opsmon("backups", "import", str(folder), "--tenant", "contoso", "--json")
    assert (answer.code, answer.json["items"]) == (4, 1)
    copy = answer.json["set"]
    assert (copy["name"], copy["state"], copy["items"]) == ("Their export", "complete", {"assignments_unknown": 1})
    # Nobody knows what the other tool left out.
    assert kinds(manager.db, copy["id"]) == {
        "compliance_policies": BackupKind("compliance_policies", 1, 1, narrowed=True)
    }


@on_both
def test_a_set_that_is_removed_meanwhile_is_not_exported_as_a_whole_one(
    opsmon: Cli, manager: CliHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_id, whole_items = make(manager, item()), backup_sets.whole_items

    def removed(db: Database, number: int) -> Any:
        yield from whole_items(db, number)
        with db.write() as connection:
            backups.remove(connection, number)

    monkeypatch.setattr(backup_sets, "whole_items", removed)
    answer = opsmon("backups", "export", str(set_id), str(tmp_path / "out"))
    assert (answer.code, (tmp_path / "out" / "backup.json").exists()) == (3, False)


@on_both
def test_nothing_leaves_without_a_trace(
    opsmon: Cli, town: CliHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise DatabaseReadOnly

    monkeypatch.setattr(audit, "record", away)
    answer = opsmon("backups", "export", str(make(town, item())), str(tmp_path / "out"))
    assert answer.code == 1
    assert list(files(tmp_path / "out")) == []


@on_both
def test_an_empty_set_is_one(opsmon: Cli, manager: CliHarness, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert opsmon("backups", "export", str(make(manager)), str(out), "--json").json["items"] == 0
    taken = opsmon("backups", "import", str(out), "--tenant", "contoso")
    assert (taken.code, taken.err) == (0, "")
    assert [one["state"] for one in opsmon("backups", "list", "--json").json] == ["complete"] * 2


@on_both
def test_a_file_that_was_put_into_the_folder_is_taken_as_one_of_chosen_policies(
    opsmon: Cli, manager: CliHarness, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    opsmon("backups", "export", str(make(manager, item())), str(out))
    put(out, "by-hand.json", record_of(item("b", "2", "compliance_policies")))
    copy = opsmon("backups", "import", str(out), "--tenant", "contoso", "--json").json["set"]
    assert kinds(manager.db, copy["id"]) == {
        "configuration_policies": BackupKind("configuration_policies", 1, 1),
        "compliance_policies": BackupKind("compliance_policies", 1, 1, narrowed=True),
    }


@pytest.mark.parametrize("login", ["rob", "bob"])
def test_who_may_export(opsmon: Cli, town: CliHarness, tmp_path: Path, as_user: Become, login: str) -> None:
    set_id = make(town, item())
    as_user(login)
    answer = opsmon("backups", "export", str(set_id), str(tmp_path / "out"))
    line = {
        "rob": "opsmon: as readonly of contoso you may not export its backups: ask an owner of contoso",
        "bob": f"opsmon: no backup set {set_id}: 'opsmon backups list' shows yours",
    }[login]
    assert (answer.code, answer.line) == (3, line)
    assert not (tmp_path / "out").exists()
    assert events(town.db, "backup_set.exported") == []


def test_an_operator_imports_nothing(opsmon: Cli, town: CliHarness, tmp_path: Path) -> None:
    answer = opsmon("backups", "import", str(tmp_path), "--tenant", "contoso")
    assert answer.code == 3
    assert answer.line == "opsmon: as operator of contoso you may not import backups: ask an owner of contoso"


def test_a_folder_that_is_not_empty_takes_no_export(opsmon: Cli, town: CliHarness, tmp_path: Path) -> None:
    put(tmp_path, "full/a.json", {})
    answer = opsmon("backups", "export", str(make(town, item())), str(tmp_path / "full"))
    assert (answer.code, answer.line) == (
        2, f"opsmon: {tmp_path / 'full'} is not empty: give a new or an empty folder"
    )  # fmt: skip
    assert events(town.db, "backup_set.exported") == []  # nothing has left


def test_a_folder_that_there_is_not_cannot_be_imported(opsmon: Cli, manager: CliHarness, tmp_path: Path) -> None:
    answer = opsmon("backups", "import", str(tmp_path / "no"), "--tenant", "contoso")
    assert (answer.code, answer.line) == (2, f"opsmon: {tmp_path / 'no'} is no folder: give the folder of a backup")
    assert rows(manager.db, table) == []
