"""`opsmon schedules`: added, changed, listed, removed; and the zone of this host."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from opsmon.cli.host_zone import host_zone
from store.model.records import Outcome
from store.people import admin
from store.people.access import Role
from store.runs import ticking
from tests.opsmon.conftest import Cli, CliHarness, on_both

Become = Callable[[str], None]


@pytest.fixture
def manager(town: CliHarness, monkeypatch: pytest.MonkeyPatch) -> CliHarness:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    admin.grant(town.db, town.me, "contoso", Role.MANAGER)
    return town


def add(opsmon: Cli, *more: str, name: str = "nightly") -> int:
    said = opsmon("schedules", "add", "--tenant", "contoso", "--name", name, "--cron", "0 3 * * *", *more, "--json")
    assert said.code == 0, said.err
    number: int = said.json["id"]
    return number


@on_both
def test_a_schedule_is_added_and_listed(opsmon: Cli, manager: CliHarness) -> None:
    assert opsmon("schedules", "list").out == "No schedules.\n"
    said = opsmon("schedules", "add", "--tenant", "contoso", "--name", "nightly", "--cron", "0 3 * * *")
    assert said.out.startswith(
        "Schedule 1 'nightly' of contoso is added: 0 3 * * * in Europe/Berlin (the zone of this host), next at 20"
    )
    two = ["--kind", "scripts", "--kind", "intents", "--keep", "14", "--zone", "Asia/Tokyo", "--disabled"]
    second = add(opsmon, *two, name="b")
    listed = {one["name"]: one for one in opsmon("schedules", "list", "--tenant", "contoso", "--json").json}
    assert {name: listed["b"][name] for name in ("id", "tenant", "cron", "zone", "kinds", "keep", "enabled", "next_at")} == {
        "id": second, "tenant": "contoso", "cron": "0 3 * * *", "zone": "Asia/Tokyo",
        "kinds": ["scripts", "intents"], "keep": 14, "enabled": False, "next_at": None,
    }  # fmt: skip
    nightly = listed["nightly"]
    assert (nightly["kinds"], nightly["keep"], nightly["enabled"], nightly["last"]) == (None, None, True, None)
    assert dt.datetime.fromisoformat(nightly["next_at"]).minute == 0
    lines = opsmon("schedules", "list").out.splitlines()
    assert lines[0].split() == ["SCHEDULE", "TENANT", "NAME", "CRON", "ZONE", "KINDS", "KEEPS", "NEXT", "LAST"]
    assert lines[1].split()[:3] == [str(second), "contoso", "b"]
    assert lines[1].split()[-3:] == ["14", "disabled", "-"]


def test_a_host_whose_zone_is_not_known_has_utc(
    opsmon: Cli, manager: CliHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    said = opsmon("schedules", "add", "--tenant", "contoso", "--name", "a", "--cron", "0 3 * * *")
    assert "in UTC (the zone of this host is not known), next at" in said.out


@on_both
def test_what_is_changed_is_what_was_given(opsmon: Cli, manager: CliHarness) -> None:
    number = str(add(opsmon, "--keep", "3", "--kind", "scripts"))

    def edit(*changes: str) -> list[object]:
        found = opsmon("schedules", "edit", number, *changes, "--json").json
        return [found[name] for name in ("name", "cron", "zone", "kinds", "keep", "enabled")]

    assert edit("--name", "b") == ["b", "0 3 * * *", "Europe/Berlin", ["scripts"], 3, True]
    assert edit("--cron", "5 4 * * *", "--keep", "all") == ["b", "5 4 * * *", "Europe/Berlin", ["scripts"], None, True]
    assert edit("--disable", "--kind", "all") == ["b", "5 4 * * *", "Europe/Berlin", None, None, False]
    assert edit("--enable", "--zone", "UTC", "--keep", "9") == ["b", "5 4 * * *", "UTC", None, 9, True]
    said = opsmon("schedules", "edit", number, "--disable").out
    assert said == f"Schedule {number} 'b' of contoso is changed: 5 4 * * * in UTC, disabled.\n"


@on_both
def test_a_schedule_is_removed(opsmon: Cli, manager: CliHarness) -> None:
    number = str(add(opsmon))
    said = opsmon("schedules", "remove", number)
    assert said.out == f"Schedule {number} 'nightly' of contoso is removed; its backups and runs stay.\n"
    assert opsmon("schedules", "list", "--json").json == []
    answer = opsmon("schedules", "remove", number)
    assert (answer.code, answer.line) == (3, f"opsmon: no schedule {number}: 'opsmon schedules list' shows yours")


@on_both
def test_the_next_times_are_told_where_clocks_change(
    opsmon: Cli, manager: CliHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = str(add(opsmon))
    monkeypatch.setattr("store.runs.detail.clock", lambda _: dt.datetime(2026, 3, 27, 12, tzinfo=dt.UTC))
    assert opsmon("schedules", "next", number, "2").out.splitlines() == [
        "DAY  IN Europe/Berlin        IN UTC",
        "Sat  2026-03-28 03:00+01:00  2026-03-28 02:00:00Z",
        "Sun  2026-03-29 03:00+02:00  2026-03-29 01:00:00Z",
    ]
    times = opsmon("schedules", "next", number, "--json").json
    assert len(times) == 5
    assert times[1] == {"at": "2026-03-29T01:00:00.000000Z", "local": "2026-03-29T03:00:00+02:00"}
    opsmon("schedules", "edit", number, "--disable")
    told = opsmon("schedules", "next", number)
    assert (told.code, told.err) == (
        0, f"opsmon: schedule {number} is disabled: --enable lets it run at these times\n"
    )  # fmt: skip


@on_both
def test_what_became_of_the_last_time_is_told(opsmon: Cli, manager: CliHarness) -> None:
    add(opsmon)
    due = dt.datetime.fromisoformat(opsmon("schedules", "list", "--json").json[0]["next_at"])
    assert ticking.tick(manager.db, due)
    (shown,) = opsmon("schedules", "list", "--json").json
    last = shown["last"]
    assert (last["what"], last["run_status"]) == ("opened", "queued")
    assert dt.datetime.fromisoformat(last["minute"]) == due
    manager.complete(last["run_id"], Outcome.FAILED)
    assert opsmon("schedules", "list").out.splitlines()[1].endswith(f" opened run {last['run_id']}, failed")


@pytest.mark.parametrize(
    ("argv", "line"),
    [
        (["--cron", "0 3 * *"], "a cron has 5 fields, and this one 4: give minute, hour, "),
        (["--cron", "0 25 * * *"], "the cron's hour cannot be '25': give minute"),
        (["--zone", "Berlin"], "the zone 'Berlin' is unknown here: use a name of the tz database"),
        (["--kind", "script"], "there is no kind of policy 'script': did you mean 'scripts'?"),
        (["--kind", "all"], "there is no kind of policy 'all': "),
        (["--keep", "0"], "'0' backups cannot be kept: give a whole number from 1 to 10000, or all"),
        (["--name", "nightly"], "contoso has a schedule 'nightly' already: choose another name"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_cannot_be_added(opsmon: Cli, manager: CliHarness, argv: list[str], line: str) -> None:
    add(opsmon)
    answer = opsmon("schedules", "add", "--tenant", "contoso", "--name", "b", "--cron", "0 3 * * *", *argv)
    assert answer.code == 2
    assert answer.line.startswith(f"opsmon: {line}")
    assert len(opsmon("schedules", "list", "--json").json) == 1


def test_what_cannot_be_changed(opsmon: Cli, manager: CliHarness) -> None:
    number = str(add(opsmon))
    for argv, line in (
        ([], "nothing is to be changed: see 'opsmon schedules edit --help'"),
        (["--kind", "all", "--kind", "scripts"], "there is no kind of policy 'all': did you mean "),
        (["--enable", "--disable"], "--disable: not allowed with argument --enable: see"),
    ):
        answer = opsmon("schedules", "edit", number, *argv)
        assert answer.code == 2
        assert answer.line.startswith(f"opsmon: {line}".removesuffix("did you mean ")), answer.line


@on_both
def test_managers_change_members_look_and_others_find_nothing(
    opsmon: Cli, manager: CliHarness, as_user: Become
) -> None:
    number = str(add(opsmon))
    as_user("rob")
    assert [one["id"] for one in opsmon("schedules", "list", "--json").json] == [int(number)]
    assert opsmon("schedules", "next", number, "1").code == 0
    new = ["add", "--tenant", "contoso", "--name", "b", "--cron", "0 3 * * *"]
    for argv in (new, ["edit", number, "--disable"], ["remove", number]):
        answer = opsmon("schedules", *argv)
        assert answer.code == 3
        assert answer.line == "opsmon: as readonly of contoso you may not change its schedules: ask an owner of contoso"
    as_user("bob")
    assert opsmon("schedules", "list", "--json").json == []
    for argv in (["next", number], ["edit", number, "--disable"], ["remove", number]):
        answer = opsmon("schedules", *argv)
        assert (answer.code, answer.line) == (3, f"opsmon: no schedule {number}: 'opsmon schedules list' shows yours")
    answer = opsmon("schedules", "list", "--tenant", "contoso")
    assert (answer.code, answer.line) == (3, "opsmon: no tenant 'contoso': 'opsmon tenants list' shows yours")


# ---- the zone of this host


@pytest.mark.parametrize(
    ("given", "zone"),
    [
        *(("Europe/Berlin", "Europe/Berlin"), (":Asia/Tokyo", "Asia/Tokyo"), ("", "UTC"), ("UTC", "UTC")),
        ("/usr/share/zoneinfo/Europe/Berlin", "Europe/Berlin"),
        *(("CET-1CEST,M3.5.0,M10.5.0/3", None), ("Nowhere/UTC", None)),
    ],
)
def test_the_variable_tz_counts_first(tmp_path: Path, given: str, zone: str | None) -> None:
    link = tmp_path / "localtime"
    link.symlink_to("/usr/share/zoneinfo/America/Lima")
    assert host_zone({"TZ": given}, link) == zone


def test_the_link_names_the_zone(tmp_path: Path) -> None:
    for number, (target, zone) in enumerate(
        {
            "/usr/share/zoneinfo/America/Lima": "America/Lima",
            "../usr/share/zoneinfo/Europe/Berlin": "Europe/Berlin",
            "/var/db/timezone/zoneinfo/America/Argentina/Salta": "America/Argentina/Salta",
            "/nowhere/at/all": None,
        }.items()
    ):
        link = tmp_path / str(number)
        link.symlink_to(target)
        assert host_zone({}, link) == zone
    through = tmp_path / "through"
    through.symlink_to(tmp_path / "0")
    assert host_zone({}, through) == "America/Lima"


def test_a_copy_or_nothing_in_place_of_the_link_names_none(tmp_path: Path) -> None:
    (tmp_path / "copy").write_bytes(b"TZif")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    assert [host_zone({}, tmp_path / name) for name in ("copy", "circle", "none")] == [None, None, None]
