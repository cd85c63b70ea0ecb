"""`opsmon backups list`, `create` and `show`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from store.intune import backups
from store.intune.backup_records import BackupItem, BackupKind, NewSet
from store.people import access, admin
from store.people.access import Role
from store.runs import lifecycle
from tasks.graph.resources import KINDS
from tasks.graph.simulator import CLIENT_ID, Fault, Simulator, directory_id, secret, synthetic
from tests.opsmon.conftest import Cli, CliHarness, on_both
from tests.support.worker import WorkerProcess
from tests.tasks.backup_folder.bodies import item

Become = Callable[[str], None]
LABELS = {kind.name: kind.label for kind in KINDS}


def make(
    town: CliHarness, *items: BackupItem, name: str = "Before the change", tenant: str = "contoso", ended: bool = True
) -> int:
    """A set as a run makes it."""
    owner = access.find_user(town.db, {"contoso": "ann", "fabrikam": "bob"}[tenant])
    (member,) = access.memberships_of(town.db, owner.id)
    set_id = backups.begin(town.db, member.tenant.id, NewSet(name, {"kinds": ["scripts"]}, owner.name))
    backups.add(town.db, member.tenant.id, set_id, items, kinds_of(items))
    if ended:
        backups.end(town.db, set_id)
    return set_id


def script(name: str, id_: str) -> BackupItem:
    return item(name, id_, "scripts", scriptContent="ZWNobyAx")


def kinds_of(items: tuple[BackupItem, ...]) -> list[BackupKind]:
    return [BackupKind(kind, n, n) for kind, n in Counter(one.kind for one in items).items()]


# ---- list


@on_both
def test_the_sets_of_ones_tenants_are_listed_newest_first(opsmon: Cli, town: CliHarness) -> None:
    assert opsmon("backups", "list").out == "No backup sets.\n"
    assert opsmon("backups", "list", "--json").json == []
    make(town, item(), tenant="fabrikam")
    whole = make(town, item())
    left = make(town, item(), replace(item("a\tb", "2"), gaps=[("content_missing", "x")]), name="", ended=False)
    listed = opsmon("backups", "list", "--json").json
    assert [(one["id"], one["state"], one["items"]) for one in listed] == [
        (left, "unfinished", {"whole": 1, "content_missing": 1}),
        (whole, "complete", {"whole": 1}),
    ]
    assert (listed[1]["tenant"], listed[1]["name"], listed[1]["initiator_name"]) == (
        "contoso",
        "Before the change",
        "Ann",
    )
    lines = opsmon("backups", "list", "--tenant", "contoso").out.splitlines()
    assert lines[0].split()[:4] == ["SET", "TENANT", "NAME", "STATE"]
    words = lines[1].split()
    assert words[:2] + words[4:8] == [str(left), "contoso", "UTC", "unfinished", "2", "1"], "named by its instant"
    assert lines[2].split()[:7] == [str(whole), "contoso", "Before", "the", "change", "complete", "1"]
    assert len(opsmon("backups", "list", "--limit", "1", "--json").json) == 1


@on_both
def test_what_stands_on_a_set_is_told(opsmon: Cli, town: CliHarness) -> None:
    set_id = make(town, item())
    with town.db.write() as connection:
        tenant_id = access.read_memberships(connection, access.find_user(town.db, "ann").id)[0].tenant.id
        backups.seal(connection, tenant_id, set_id, "drift run 12")
    assert opsmon("backups", "list").out.splitlines()[1].endswith("drift run 12")
    assert "Stands on it  drift run 12" in opsmon("backups", "show", str(set_id)).out


def test_a_tenant_of_others_has_no_list(opsmon: Cli, town: CliHarness) -> None:
    answer = opsmon("backups", "list", "--tenant", "fabrikam")
    assert (answer.code, answer.line) == (3, "opsmon: no tenant 'fabrikam': 'opsmon tenants list' shows yours")


# ---- show


@on_both
def test_a_set_is_shown_with_its_kinds_and_what_is_missing(opsmon: Cli, town: CliHarness) -> None:
    gaps = [("secret_unreadable", "omaSettings[0].value"), ("reference_lost", "group 7 is\nnot there")]
    items = [item(), script("B\x1b[2J", "2"), replace(script("A", "3"), gaps=gaps)]
    set_id = make(town, *items)
    tenant_id = access.memberships_of(town.db, access.find_user(town.db, "ann").id)[0].tenant.id
    failed = BackupKind("intents", 3, 0, "graph.forbidden", "Graph forbids it", narrowed=True)
    backups.add(town.db, tenant_id, set_id, [], [failed])
    shown = opsmon("backups", "show", str(set_id)).out
    facts = dict(line.split("  ", 1) for line in shown.split("\n\n")[0].splitlines())
    assert facts["State"].strip() == "incomplete: not everything that was asked for could be read"
    assert facts["Items"].strip() == "3, not whole: 1"
    (row,) = [line for line in shown.splitlines() if "graph.forbidden" in line]
    assert row.removeprefix(LABELS["intents"]).split(maxsplit=3) == [
        *("3", "0", "chosen", "graph.forbidden: Graph forbids it")
    ]
    assert "secret unreadable: omaSettings[0].value; reference lost: group 7 is not there" in shown
    looked_at = {"configuration_policies", "scripts", "intents"}
    (names,) = [line for line in shown.splitlines() if LABELS["compliance_policies"] in line]
    assert names.strip().split(", ") == [kind.label for kind in KINDS if kind.name not in looked_at]
    assert "\x1b" not in shown
    whole = opsmon("backups", "show", str(set_id), "--json").json
    assert [(one["kind"], one["name"]) for one in whole["items"]] == [
        *(("configuration_policies", "Edge"), ("scripts", "A"), ("scripts", "B\x1b[2J"))
    ]
    assert whole["items"][1]["gaps"] == [{"code": code, "detail": detail} for code, detail in gaps]
    assert {one["kind"] for one in whole["kinds"]} == looked_at
    assert set(whole["not_looked_at"]) == {kind.name for kind in KINDS} - looked_at
    assert (whole["state"], sum(whole["numbers"].values()), whole["numbers"]["whole"]) == ("incomplete", 3, 2)
    assert "body" not in whole["items"][0]


@on_both
def test_one_kind_of_a_set(opsmon: Cli, town: CliHarness) -> None:
    set_id = str(make(town, item(), item("A", "3", "scripts")))
    whole = opsmon("backups", "show", set_id, "--kind", "scripts", "--json").json
    assert [one["name"] for one in whole["items"]] == ["A"]
    assert ([one["kind"] for one in whole["kinds"]], whole["not_looked_at"]) == (["scripts"], [])
    none = opsmon("backups", "show", set_id, "--kind", "intents").out
    assert none.endswith(f"Not looked at\n  {LABELS['intents']}\n")
    answer = opsmon("backups", "show", set_id, "--kind", "script")
    assert (answer.code, answer.line) == (2, "opsmon: there is no kind of policy 'script': did you mean 'scripts'?")


@on_both
def test_all_items_are_listed_however_many(opsmon: Cli, town: CliHarness) -> None:
    gap = [("content_missing", "x")]
    set_id = make(town, *(replace(item(f"n{n:03}", f"id-{n}"), gaps=gap) for n in range(401)))
    whole = opsmon("backups", "show", str(set_id), "--json").json
    assert [one["name"] for one in whole["items"]] == [f"n{n:03}" for n in range(401)]
    shown = opsmon("backups", "show", str(set_id)).out
    assert shown.endswith("\n... and 201 more, which --json lists\n")
    assert "n199" in shown


@pytest.mark.parametrize("command", [["show"], ["export", "x"]], ids=lambda command: command[0])
def test_a_set_of_others_is_not_there(opsmon: Cli, town: CliHarness, tmp_path: Path, command: list[str]) -> None:
    theirs = make(town, item(), tenant="fabrikam")
    for number in (theirs, theirs + 1, 2**63):
        answer = opsmon("backups", command[0], str(number), *command[1:])
        assert (answer.code, answer.line) == (
            3, f"opsmon: no backup set {number}: 'opsmon backups list' shows yours"
        )  # fmt: skip


def test_what_is_no_number_of_a_set(opsmon: Cli, town: CliHarness) -> None:
    answer = opsmon("backups", "show", "nightly")
    assert answer.code == 2
    assert answer.line == "opsmon: 'nightly' is not the number of a backup set: 'opsmon backups list' shows them"


# ---- create


@on_both
def test_create_is_the_start_of_an_operation(opsmon: Cli, town: CliHarness) -> None:
    argv = ["backups", "create", "--tenant", "contoso", "--kind", "scripts", "--kind", "intents", "--filter", "VPN, *"]
    first = opsmon(*argv, "--policy", "a-1", "--policy", "b-2", "--name", "x", "--json").json
    assert (first["receipt"], first["run"]["type"]) == ("queued", "backup_set.create")
    run = lifecycle.get(town.db, first["run"]["id"])
    assert run
    assert run.parameters == {
        "name": "x", "kinds": ["intents", "scripts"], "policies": ["a-1", "b-2"], "filter": "VPN, *"
    }  # fmt: skip
    again = opsmon(*argv, "--policy", "a-1", "--policy", "b-2", "--name", "x")
    assert (again.code, again.out.split(".")[0]) == (0, "Joined the run that is active already")
    other = lifecycle.get(town.db, opsmon("backups", "create", "--tenant", "contoso", "--json").json["run"]["id"])
    assert other
    assert other.parameters == {"name": "", "kinds": None, "policies": None, "filter": ""}


def test_create_waits_no_longer_than_it_is_told(opsmon: Cli, town: CliHarness) -> None:
    assert opsmon("backups", "create", "--tenant", "contoso", "--wait", "0").code == 6


def test_who_may_only_look_creates_nothing(opsmon: Cli, town: CliHarness, as_user: Become) -> None:
    as_user("rob")
    answer = opsmon("backups", "create", "--tenant", "contoso")
    assert answer.code == 3
    assert answer.line == "opsmon: as readonly of contoso you may not start or retry runs: ask an owner of contoso"


def test_a_kind_that_there_is_not_starts_nothing(opsmon: Cli, town: CliHarness) -> None:
    answer = opsmon("backups", "create", "--tenant", "contoso", "--kind", "compliance_policy")
    assert answer.code == 2
    assert answer.line == (
        "opsmon: there is no kind of policy 'compliance_policy': did you mean 'compliance_policies'?"
    )
    assert opsmon("runs", "--json").json == []


@pytest.mark.worker
@on_both
def test_a_worker_makes_the_set_of_a_simulated_tenant(
    opsmon: Cli, town: CliHarness, database_url: str, tmp_path: Path
) -> None:
    admin.grant(town.db, town.me, "contoso", Role.MANAGER)
    with Simulator([synthetic("contoso", 7, 60)], page_size=20) as simulator:
        app = {"directory_id": directory_id("contoso"), "client_id": CLIENT_ID, "client_secret": secret("contoso")}
        reads: dict[str, Any] = {f"credentials_contoso_{name}": value for name, value in app.items()}
        reads |= {"graph_url": simulator.url, "graph_authority": simulator.url}
        worker = WorkerProcess(database_url, tmp_path, **reads).ready()
        try:
            done = opsmon("backups", "create", "--tenant", "contoso", "--name", "first", "--wait")
            assert (done.code, done.out.split(".")[0]) == (0, "Queued"), done.err + worker.log
            simulator.faults.add(Fault(path="/deviceCompliancePolicies", status=403))
            part = opsmon("backups", "create", "--tenant", "contoso", "--wait", "--json")
            assert (part.code, part.json["run"]["outcome"]) == (4, "partially_succeeded")
        finally:
            worker.kill()
    second, first = opsmon("backups", "list", "--json").json
    assert (first["name"], first["state"], sum(first["items"].values())) == ("first", "complete", 60)
    assert second["state"] == "incomplete"
    out = tmp_path / "out"
    assert opsmon("backups", "export", str(first["id"]), str(out)).code == 0
    copy = opsmon("backups", "import", str(out), "--tenant", "contoso", "--json").json["set"]
    numbers = ("name", "state", "items", "kinds", "failed_kinds")
    assert [copy[name] for name in numbers] == [first[name] for name in numbers]
