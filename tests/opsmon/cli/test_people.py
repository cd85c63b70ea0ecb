"""`opsmon tenants`, `opsmon users`, and who you are."""

from __future__ import annotations

import json
import os
import pwd
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from opsmon.login import login_name
from store.db.engine import Database
from store.errors import Forbidden
from store.model.tables import audit_events
from store.people import access, admin
from store.people.access import Role
from tests.opsmon.conftest import Cli, CliHarness, on_both
from tests.support.waiting import HANG

Become = Callable[[str], None]


@on_both
def test_from_nothing_to_a_team(opsmon: Cli) -> None:
    """As docs/deployment.md has it: who installs opsmon comes first, and goes on to add the others."""
    me = login_name()
    tenant = opsmon("tenants", "add", "contoso", "--name", "Contoso Ltd", "--json").json
    assert {name: tenant[name] for name in ("slug", "name")} == {"slug": "contoso", "name": "Contoso Ltd"}
    assert opsmon("tenants", "list", "--json").json == [{**tenant, "role": "owner"}]
    user = opsmon("users", "add", "alice", "--name", "Alice Alba", "--json").json
    assert {name: user[name] for name in ("login", "name")} == {"login": "alice", "name": "Alice Alba"}
    assert user["created_at"].endswith("Z")
    granted = opsmon("users", "grant", "alice", "--tenant", "contoso", "--role", "owner", "--json").json
    assert granted == {
        "user_id": user["id"],
        "login": "alice",
        "tenant_id": tenant["id"],
        "tenant": "contoso",
        "role": "owner",
    }
    assert [found["login"] for found in opsmon("users", "list", "--json").json] == sorted(["alice", me])


def test_in_plain_text(opsmon: Cli) -> None:
    me = login_name()
    door = "opsmon: nobody owns a tenant yet: 'opsmon tenants add SLUG' makes you a user and its owner"
    for argv in (["users", "list"], ["users", "add", "alice"]):
        answer = opsmon(*argv)
        assert (answer.code, answer.line) == (3, door)
    assert opsmon("tenants", "add", "contoso").out == f"Tenant 'contoso' is added, and {me} owns it.\n"
    assert opsmon("users", "add", "alice").out == "User 'alice' is added.\n"
    grant = opsmon("users", "grant", "alice", "--tenant", "contoso", "--role", "owner")
    assert grant.out == "alice is owner of contoso.\n"
    assert opsmon("tenants", "list").out.splitlines()[1].split() == ["contoso", "contoso", "owner"]
    assert sorted(line.split()[0] for line in opsmon("users", "list").out.splitlines()[1:]) == sorted(["alice", me])


def test_who_steps_down_is_warned(opsmon: Cli) -> None:
    me = login_name()
    opsmon("tenants", "add", "contoso")
    opsmon("users", "add", "alice")
    opsmon("users", "grant", "alice", "--tenant", "contoso", "--role", "owner")
    answer = opsmon("users", "grant", me, "--tenant", "contoso", "--role", "manager")
    assert answer.out == (
        f"{me} is manager of contoso. That was you: from here on another owner grants roles in contoso.\n"
    )


@pytest.mark.parametrize(
    ("argv", "code", "line"),
    [
        (["tenants", "add", "Contoso"], 2, "'Contoso' cannot be a tenant's slug: use a-z, 0-9 and dashes, at most 63"),
        (["tenants", "add", "contoso"], 2, "slug 'contoso' exists already: choose another"),
        (["users", "add", "a b"], 2, "'a b' cannot be a login: use a system login name"),
        (["users", "add", "ann"], 2, "login 'ann' exists already: choose another"),
        (
            ["users", "grant", "nobody", "--tenant", "contoso", "--role", "owner"],
            3,
            "no user 'nobody' in this opsmon: an owner adds one with 'opsmon users add'",
        ),
        (
            ["users", "grant", "rob", "--tenant", "nowhere", "--role", "owner"],
            3,
            "no tenant 'nowhere': 'opsmon tenants list' shows yours",
        ),
        (
            ["users", "grant", "rob", "--tenant", "fabrikam", "--role", "owner"],
            3,
            "no tenant 'fabrikam': 'opsmon tenants list' shows yours",
        ),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else None,
)
def test_what_an_owner_cannot_do(
    opsmon: Cli, town: CliHarness, as_user: Become, argv: list[str], code: int, line: str
) -> None:
    as_user("ann")
    answer = opsmon(*argv)
    assert (answer.code, answer.line) == (code, f"opsmon: {line}")


@pytest.mark.parametrize("login", ["rob", "me", "stranger"])
@pytest.mark.parametrize("argv", [["tenants", "add", "new"], ["users", "add", "new"], ["users", "list"]], ids=" ".join)
def test_administration_is_for_owners(
    opsmon: Cli, town: CliHarness, as_user: Become, login: str, argv: list[str]
) -> None:
    if login != "me":
        as_user(login)
    answer = opsmon(*argv)
    assert (answer.code, answer.line) == (3, "opsmon: administration is for owners: ask an owner of a tenant")


@on_both
def test_an_operator_grants_nothing(opsmon: Cli, town: CliHarness) -> None:
    answer = opsmon("users", "grant", town.me, "--tenant", "contoso", "--role", "owner")
    assert (answer.code, answer.line) == (3, "opsmon: administration is for owners: ask an owner of contoso")
    answer = opsmon("users", "grant", town.me, "--tenant", "fabrikam", "--role", "owner")
    assert (answer.code, answer.line) == (3, "opsmon: no tenant 'fabrikam': 'opsmon tenants list' shows yours")


@on_both
def test_the_last_owner_stays(opsmon: Cli, town: CliHarness, as_user: Become) -> None:
    as_user("ann")
    answer = opsmon("users", "grant", "ann", "--tenant", "contoso", "--role", "readonly")
    assert answer.code == 3
    assert answer.line == "opsmon: ann is the last owner of contoso: make somebody else an owner first"
    assert opsmon("users", "grant", "ann", "--tenant", "contoso", "--role", "owner").code == 0
    assert opsmon("users", "grant", "rob", "--tenant", "contoso", "--role", "owner").code == 0
    assert opsmon("users", "grant", "ann", "--tenant", "contoso", "--role", "readonly").code == 0
    assert [m.role for m in access.memberships_of(town.db, access.find_user(town.db, "ann").id)] == [Role.READONLY]


@on_both
def test_of_two_owners_who_step_down_at_once_one_stays(town: CliHarness) -> None:
    refused: list[str] = []

    def step_down(login: str, start: threading.Barrier) -> None:
        start.wait(HANG)
        try:
            admin.grant(town.db, login, "contoso", Role.OPERATOR)
        except Forbidden:
            refused.append(login)

    for _ in range(10):
        for login in ("ann", "rob"):
            admin.grant(town.db, login, "contoso", Role.OWNER)
        refused.clear()
        start = threading.Barrier(2)
        threads = [threading.Thread(target=step_down, args=(login, start)) for login in ("ann", "rob")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(refused) == 1


# ---- who you are


@on_both
def test_an_unknown_login(opsmon: Cli, town: CliHarness, as_user: Become) -> None:
    as_user("stranger")
    for argv in (["runs"], ["tenants", "list"], ["show", "1"], ["notifications"], ["wait", "1"], ["retry", "1"]):
        answer = opsmon(*argv)
        assert answer.code == 3
        assert answer.line == ("opsmon: no user 'stranger' in this opsmon: an owner adds one with 'opsmon users add'")


def test_no_environment_variable_makes_you_somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("USER", "LOGNAME", "LNAME", "USERNAME", "SUDO_USER", "OPSMON_USER", "OPSMON_AS"):
        monkeypatch.setenv(name, "ann")
    assert login_name() == pwd.getpwuid(os.getuid()).pw_name


def test_a_user_id_without_a_name(opsmon: Cli, town: CliHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 2**31 - 7)
    answer = opsmon("runs")
    assert answer.code == 3
    assert "has no login name on this system" in answer.line


@on_both
def test_as_another_on_the_embedded_database(opsmon: Cli, town: CliHarness) -> None:
    answer = opsmon("--as", "bob", "tenants", "list", "--json")
    if town.db.is_sqlite:
        assert [tenant["slug"] for tenant in answer.json] == ["fabrikam"]
        assert opsmon("--as", "nobody", "runs").code == 3
        assert opsmon("users", "list", "--as", "ann").code == 0
        assert opsmon("users", "list", "--as", "rob").code == 3
    else:
        assert answer.code == 3
        assert json.loads(answer.err) == {
            "code": "access.forbidden",
            "message": "--as is for the owner of an embedded database",
            "hint": "leave it out",
        }
        assert opsmon("--as", town.me, "runs").code == 3


@pytest.mark.parametrize(
    "argv",
    [
        *(["runs"], ["show", "1"], ["wait", "1"], ["retry", "1"], ["notifications"], ["doctor"]),
        *(["tenants", "list"], ["tenants", "add", "x"], ["users", "list"], ["users", "add", "x"]),
        ["users", "grant", "rob", "--tenant", "contoso", "--role", "owner"],
        ["start", "system.probe", "--tenant", "contoso"],
    ],
    ids=" ".join,
)
def test_as_another_in_somebody_elses_file(
    cli: Cli, sqlite_url: str, monkeypatch: pytest.MonkeyPatch, argv: list[str]
) -> None:
    monkeypatch.setenv("OPSMON_DATABASE_URL", sqlite_url)
    Path(sqlite_url.removeprefix("sqlite:///")).chmod(0o666)
    monkeypatch.setattr(os, "getuid", lambda: Path(sqlite_url.removeprefix("sqlite:///")).stat().st_uid + 1)
    answer = cli("--as", "ann", *argv)
    assert (answer.code, answer.line) == (3, "opsmon: --as is for the owner of an embedded database: leave it out")


def test_a_link_to_somebody_elses_file_is_not_yours(
    cli: Cli, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    file = Path(sqlite_url.removeprefix("sqlite:///"))
    os.chown(file, 12345, -1)
    (tmp_path / "mine.db").symlink_to(file)
    monkeypatch.setenv("OPSMON_DATABASE_URL", f"sqlite:///{tmp_path}/mine.db")
    assert cli("--as", "ann", "runs").code == 3


@on_both
def test_names_reach_the_terminal_clean(opsmon: Cli, db: Database) -> None:
    me = login_name()
    opsmon("tenants", "add", "contoso", "--name", "\x1b[31mRed")
    opsmon("users", "add", "eve", "--name", "Eve\x1b]52;c;ZXZpbA==\x07\x9b2J\u202e!")
    opsmon("users", "grant", me, "--tenant", "contoso", "--role", "owner")
    for argv in (["users", "list"], ["tenants", "list"], ["members", "contoso"]):
        for form in ([], ["--json"], ["-o", "wide"], ["-o", "jsonl"], ["-o", "name"]):
            out = opsmon(*argv, *form).out
            assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(out)


@on_both
def test_an_owner_of_one_tenant_grants_nothing_in_another(opsmon: Cli, town: CliHarness, as_user: Become) -> None:
    as_user("bob")
    answer = opsmon("users", "grant", "bob", "--tenant", "contoso", "--role", "owner")
    assert (answer.code, answer.line) == (3, "opsmon: no tenant 'contoso': 'opsmon tenants list' shows yours")
    bob = access.find_user(town.db, "bob")
    assert [member.tenant.slug for member in access.memberships_of(town.db, bob.id)] == ["fabrikam"]


# ---- lists, and roles that are taken


@on_both
def test_tenants_and_users_alone_are_listed(opsmon: Cli, town: CliHarness, as_user: Become) -> None:
    as_user("ann")
    assert opsmon("tenants").out == opsmon("tenants", "list").out
    assert opsmon("users").out == opsmon("users", "list").out
    assert opsmon("users", "-o", "name").out.split() == sorted(["ann", "bob", "rob", town.me])
    assert opsmon("users", "list", "-o", "name").out == opsmon("users", "-o", "name", "list").out
    assert opsmon("tenants", "--columns", "slug,role", "--json").json == [{"slug": "contoso", "role": "owner"}]


@on_both
def test_roles_are_listed_of_ones_own_tenants_alone(opsmon: Cli, town: CliHarness, as_user: Become) -> None:
    as_user("ann")
    roles = {user["login"]: user["roles"] for user in opsmon("users", "--json").json}
    assert roles == {
        "ann": {"contoso": "owner"},
        "bob": {},
        "rob": {"contoso": "readonly"},
        town.me: {"contoso": "operator"},
    }
    assert "readonly of contoso" in opsmon("users").out
    assert "fabrikam" not in opsmon("users").out


@on_both
def test_members_see_each_other(opsmon: Cli, town: CliHarness, as_user: Become) -> None:
    expected = [("ann", "owner"), ("rob", "readonly"), (town.me, "operator")]
    as_user("rob")
    found = opsmon("members", "contoso", "--json").json
    assert sorted((one["login"], one["role"]) for one in found) == sorted(expected)
    assert opsmon("members", "contoso").out.splitlines()[0].split() == ["LOGIN", "NAME", "ROLE"]
    for slug in ("fabrikam", "nowhere", "NO SLUG"):
        answer = opsmon("members", slug)
        assert (answer.code, answer.line) == (3, f"opsmon: no tenant '{slug}': 'opsmon tenants list' shows yours")


@on_both
def test_an_owner_takes_a_role(opsmon: Cli, town: CliHarness, as_user: Become) -> None:
    as_user("ann")
    answer = opsmon("users", "revoke", "rob", "--tenant", "contoso")
    assert (answer.code, answer.out) == (0, "rob was readonly of contoso, and is no member of it any more.\n")
    assert "rob" not in opsmon("members", "contoso", "-o", "name").out.split()
    with town.db.read() as connection:
        rows = connection.execute(
            sa.select(audit_events.c.login, audit_events.c.subject, audit_events.c.detail).where(
                audit_events.c.action == "role.revoked"
            )
        ).all()
    assert [tuple(row) for row in rows] == [("ann", "rob", {"before": "readonly", "role": None})]
    as_user("rob")
    assert opsmon("members", "contoso").code == 3


@on_both
def test_who_may_take_no_role(opsmon: Cli, town: CliHarness, as_user: Become) -> None:
    answer = opsmon("users", "revoke", "ann", "--tenant", "contoso")
    assert (answer.code, answer.line) == (3, "opsmon: administration is for owners: ask an owner of contoso")
    answer = opsmon("users", "revoke", "bob", "--tenant", "fabrikam")
    assert (answer.code, answer.line) == (3, "opsmon: no tenant 'fabrikam': 'opsmon tenants list' shows yours")
    as_user("ann")
    answer = opsmon("users", "revoke", "ann", "--tenant", "contoso")
    assert answer.line == "opsmon: ann is the last owner of contoso: make somebody else an owner first"
    answer = opsmon("users", "revoke", "bob", "--tenant", "contoso")
    assert answer.line == "opsmon: 'bob' is no member of contoso: 'opsmon members contoso' lists them"
