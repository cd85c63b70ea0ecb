"""What the shell is offered: only what is one's own."""

from __future__ import annotations

import argparse

import pytest

from opsmon.cli import offers
from store.errors import OpsmonError
from store.search import audit_filter
from tests.opsmon.conftest import Cli, CliHarness, on_both

NOBODY = argparse.Namespace()


@on_both
def test_runs_are_offered_newest_first_with_what_they_are(opsmon: Cli, town: CliHarness) -> None:
    numbers = []
    for _ in range(3):
        run = opsmon("start", "system.probe", "--tenant", "contoso", "--json").json["run"]["id"]
        town.complete(run)
        numbers.append(str(run))
    assert list(offers.runs(NOBODY, ())) == numbers[::-1]
    assert set(offers.runs(NOBODY, ()).values()) == {"system.probe contoso succeeded"}
    assert offers.runs(NOBODY, ("-status:completed",)) == {}


@on_both
def test_nothing_of_other_peoples_tenants_is_offered(opsmon: Cli, town: CliHarness) -> None:
    opsmon("start", "system.probe", "--tenant", "contoso")
    if town.db.is_sqlite:
        bob = argparse.Namespace(as_login="bob")
        assert (offers.tenants(bob), offers.runs(bob, ())) == ({"fabrikam": "Fabrikam"}, {})
        assert list(offers.logins(bob)) == ["bob"]
    assert offers.tenants(NOBODY) == {"contoso": "Contoso"}
    assert sorted(offers.logins(NOBODY)) == sorted(["ann", "rob", town.me])
    assert (offers.sets(NOBODY), offers.restores(NOBODY), offers.schedules(NOBODY)) == ({}, {}, {})


def test_who_is_no_user_is_offered_nothing(opsmon: Cli, town: CliHarness) -> None:
    with pytest.raises(OpsmonError):
        offers.tenants(argparse.Namespace(as_login="nobody"))


def test_parameters_are_those_of_the_operation(opsmon: Cli) -> None:
    given = argparse.Namespace(type="system.probe")
    names = {
        f"{one['name']}="
        for found in opsmon("operations", "--json").json
        if found["type"] == "system.probe"
        for one in found["parameters"]
    }
    assert set(offers.parameters("", given)) == names
    assert offers.parameters("", argparse.Namespace(type="no.such")) == offers.parameters("", NOBODY) == {}


def test_what_is_started_from_one_place_alone_is_not_offered(opsmon: Cli) -> None:
    elsewhere = {found["type"] for found in opsmon("operations", "--json").json if found["only_from"]}
    assert elsewhere
    assert not elsewhere & set(offers.operations(NOBODY))


@pytest.mark.parametrize("command", sorted(offers._LISTS))
def test_columns_that_are_offered_are_columns(opsmon: Cli, town: CliHarness, command: str) -> None:
    names = offers.columns(command, "")
    assert set(offers.columns(f"{command} list", "id,")) == {f"id,{name}" for name in names if name != "id"}
    more = {"opsmon members": ["contoso"], "opsmon backups": ["list"], "opsmon schedules": ["list"]}.get(command, [])
    opsmon("--as", "ann", "start", "system.probe", "--tenant", "contoso")
    answer = opsmon("--as", "ann", *command.split()[1:], *more, "--columns", ",".join(names))
    assert (answer.code, answer.err) == (0, "")


def test_what_has_no_list_has_no_columns() -> None:
    assert offers.columns("opsmon show", "") == {}


def test_values_of_a_filter_are_read_only_behind_a_name_that_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSMON_DATABASE_URL", "sqlite:////nowhere/x.db")
    assert "outcome:" in offers.filters("out", NOBODY)
    assert "outcome:failed" in offers.filters("outcome:f", NOBODY)
    assert "!type:system.probe" in offers.filters("!type:sys", NOBODY)
    with pytest.raises(OpsmonError):
        offers.filters("tenant:", NOBODY)


def test_terms_of_the_audit_trail(opsmon: Cli, town: CliHarness) -> None:
    names = set(offers.audit_terms("", NOBODY))
    assert names == {f"{name}:" for name in audit_filter.NAMES}
    for sign in ("-", "!"):
        assert set(offers.audit_terms(sign, NOBODY)) == {f"{sign}{name}" for name in names - {"since:"}}
        assert list(offers.audit_terms(f"{sign}tenant:", NOBODY)) == [f"{sign}tenant:contoso"]
    actions = offers.audit_terms("-action:", NOBODY)
    assert actions["-action:run.retried"] == "retried"
    for term in actions:
        audit_filter.parse([term])
    assert offers.audit_terms("by:", NOBODY) == {}


def test_commands_below_a_command() -> None:
    assert {"add", "list", "grant", "revoke"} == set(offers.commands(argparse.Namespace(words=["users"])))
    assert offers.commands(argparse.Namespace(words=["no"])) == {}
    assert "Europe/Berlin" in offers.zones()
    assert "compliance_policies" in offers.kinds()
