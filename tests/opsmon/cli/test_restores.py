"""`opsmon restore`: from the plan to the end, what is refused on the way, and who sees what."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from store.db.engine import Database
from store.intune import restores
from store.intune.restore_records import Restore
from store.model.records import Counts, Outcome, User
from store.model.tables import restore_runs
from store.people import access, admin
from store.people.access import Role
from store.runs import lifecycle, outcome, restore_work
from store.runs.lifecycle import Result
from store.runs.restore_work import Became
from tasks.graph.resources import BY_NAME
from tasks.graph.simulator import CLIENT_ID, SimulatedTenant, Simulator, directory_id, secret
from tests.opsmon.conftest import Answer, Cli, CliHarness, on_both
from tests.support import people
from tests.support.restoring import backup, naming, previewed, see_groups
from tests.support.worker import WorkerProcess
from tests.tasks.backup_folder.bodies import item
from tests.tasks.operations.cases import assigned
from tests.tasks.operations.restore.conftest import settings_policy

Become = Callable[[str], None]
SETTINGS = BY_NAME["configuration_policies"].label
NAMED = ("--tenant-name", "Fabrikam", "--reviewed")


@dataclass
class Desk:
    """You are operator of contoso, of which there is a backup set, and manager of fabrikam."""

    db: Database
    opsmon: Cli
    user: User
    set_id: int

    def __call__(self, *argv: object) -> Answer:
        return self.opsmon("restore", *map(str, argv))

    def plan(self, *more: str) -> int:
        """The number of a new restore of the set into fabrikam."""
        return int(self("plan", self.set_id, "--tenant", "fabrikam", *more, "--json").json["id"])

    def checked(self, *more: str) -> int:
        """The same, with its groups left out."""
        number = self.plan(*more)
        assert self("map", number, "--skip-unresolved").code == 0
        return number

    def previewed(self, *more: str, **plans: Any) -> int:
        number = self.checked(*more)
        previewed(self.db, self.user, self.restore(number), **plans)
        return number

    def restore(self, number: int) -> Restore:
        return restores.visible(self.db, self.user, number)

    def items(self, number: int) -> dict[str, Any]:
        return {one["name"]: one for one in self("show", number, "--json").json["items"]}

    def groups(self, number: int) -> dict[str, Any]:
        """The decisions on groups by their names."""
        found = self("map", number, "--json").json["groups"]
        return {one["decision"]["source_name"]: one["decision"] for one in found}

    def carried_out(self, number: int, *results: Became, how: Outcome) -> None:
        """The run of an executed restore is completed, with what became of its items, in their order."""
        run_id = self.restore(number).run_id or 0
        worker = people.make_worker(self.db)
        assert lifecycle.claim(self.db, run_id, worker)
        for one, became in zip(self("show", number, "--json").json["items"], results, strict=False):
            restore_work.note_result(self.db, run_id, one["id"], became)
        failures = (outcome.failure("restore.changed"),) if how is not Outcome.SUCCEEDED else ()
        assert lifecycle.finish(self.db, run_id, worker, Result(how, Counts(3, 2, 1, 0), failures))


@pytest.fixture
def desk(opsmon: Cli, town: CliHarness) -> Desk:
    admin.grant(town.db, town.me, "fabrikam", Role.MANAGER)
    user = access.find_user(town.db, town.me)
    items = [
        naming(item("Firewall", "p1"), g1="Sales", g2="Pilot"),
        naming(item("Edge\x1b[31m", "p2"), g1="Sales"),
        naming(item("Map drives", "s1", "scripts")),
    ]
    set_id = backup(town.db, user, "contoso", items)
    see_groups(town.db, user, "fabrikam", x1="Sales", x2="Other", x3="Twice", x4="Twice", x5="a=b")
    return Desk(town.db, opsmon, user, set_id)


def codes(answer: Answer) -> tuple[int, str]:
    return answer.code, answer.line.removeprefix("opsmon: ")


# ---- plan and list


@on_both
def test_a_plan_says_what_it_has_and_what_comes_next(desk: Desk) -> None:
    answer = desk("plan", desk.set_id, "--tenant", "fabrikam", "--reason", "ticket 4711")
    assert answer.out.splitlines() == [
        f"Planned restore 1, contoso → fabrikam, of backup set {desk.set_id}: "
        f"3 objects (2 {SETTINGS}, 1 {BY_NAME['scripts'].label}).",
        "Groups: 1 suggested, 1 unresolved.",
        "Next: 'opsmon restore map 1' lists the groups; --map, --skip or --skip-unresolved decides on them.",
    ]
    told = desk("plan", desk.set_id, "--tenant", "fabrikam", "--update", "--kind", "scripts", "--json").json
    assert (told["id"], told["status"], told["mode"], told["tenant"]) == (2, "checked", "update", "fabrikam")
    assert (told["objects"], told["groups"]) == ({"scripts": 1}, {})
    assert told["next"] == "Next: 'opsmon restore preview 2'."
    assert desk.restore(1).reason == "ticket 4711"


def test_single_items_are_planned_by_number_or_by_the_policys_id(desk: Desk) -> None:
    listed = {
        one["name"]: one["id"] for one in desk.opsmon("backups", "show", str(desk.set_id), "--json").json["items"]
    }
    number = desk.plan("--item", str(listed["Map drives"]), "--item", "P1")
    assert set(desk.items(number)) == {"Map drives", "Firewall"}


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        (["--item", "p9"], 2, "backup set 1 has no policy 'p9'"),
        (["--item", "4711"], 2, "backup set 1 has no item 4711"),
        (["--kind", "script"], 2, "there is no kind of policy 'script': did you mean 'scripts'?"),
        (["--kind", "intents"], 2, "backup set 1 has nothing of that"),
    ],
)
def test_what_the_set_does_not_have_is_not_planned(desk: Desk, more: list[str], code: int, words: str) -> None:
    answer = desk("plan", desk.set_id, "--tenant", "fabrikam", *more)
    assert answer.code == code
    assert words in answer.line
    assert desk("list", "--json").json == []


@on_both
def test_restores_are_listed_newest_first_and_by_tenant(desk: Desk) -> None:
    assert desk().out == "No restores.\n"
    assert desk("--json").json == []
    first, second = desk.plan(), desk.previewed()
    assert [one["id"] for one in desk("--json").json] == [second, first]
    lines = desk("list").out.splitlines()
    assert lines[0].split()[:6] == ["RESTORE", "STATE", "SET", "NAME", "FROM", "TO"]
    assert lines[1].split()[:6] == [str(second), "previewed", str(desk.set_id), "nightly", "contoso", "fabrikam"]
    assert lines[1].endswith("3 left")
    for tenant, there in (("contoso", 2), ("fabrikam", 2)):
        assert len(desk("list", "--tenant", tenant, "--json").json) == there
    admin.add_tenant(desk.db, "adatum", "Adatum")
    assert codes(desk("list", "--tenant", "adatum"))[0] == 3
    assert [one["results"] for one in desk("list", "--limit", "1", "--json").json] == [{"left": 3}]


@on_both
def test_a_restore_is_seen_by_members_of_both_tenants_alone(desk: Desk, as_user: Become) -> None:
    """ann is of contoso alone, bob of fabrikam alone; rob, who may only look, becomes a member of both."""
    number = desk.previewed()
    admin.grant(desk.db, "rob", "fabrikam", Role.READONLY)
    for login in ("ann", "bob"):
        as_user(login)
        assert desk("list", "--json").json == []
        for command in (["show"], ["map"], ["preview"], ["execute"], ["continue"], ["discard"], ["agree"]):
            told = f"no restore {number}: 'opsmon restore list' shows yours"
            assert codes(desk(command[0], number, *command[1:])) == (3, told), command
        assert desk("choose", number, "--skip-blocked").code == 3
    as_user("rob")
    assert [one["id"] for one in desk("list", "--json").json] == [number]
    assert desk("show", number).code == 0
    assert desk("map", number).code == 0
    for argv in (
        ["preview"], ["execute"], ["execute", *NAMED], ["continue"], ["discard"], ["agree", "downgrade"],
        ["map", "--skip-unresolved"], ["map", "--suggest"], ["choose", "--skip-blocked"],
    ):  # fmt: skip
        refused = desk(argv[0], number, *argv[1:])
        assert refused.code == 3, argv
        assert "as readonly of fabrikam you may not" in refused.line, argv


def test_who_is_no_manager_of_the_target_plans_nothing_there(desk: Desk, as_user: Become) -> None:
    refused = desk("plan", desk.set_id, "--tenant", "contoso")  # where you are an operator
    assert refused.code == 3
    assert "as operator of contoso you may not restore" in refused.line
    as_user("bob")  # who does not know the source
    assert codes(desk("plan", desk.set_id, "--tenant", "fabrikam")) == (
        3,
        f"no backup set {desk.set_id}: 'opsmon backups list' shows them",
    )


# ---- map


@on_both
def test_groups_are_listed_with_what_stands_for_them_and_how_old_that_is(desk: Desk) -> None:
    number = desk.plan()
    lines = desk("map", number).out.splitlines()
    assert lines[0] == f"Groups of restore {number}, contoso → fabrikam"
    assert lines[1].startswith("From the cached directory of fabrikam, 5 groups, read ")
    assert lines[1].endswith(" ago: 'opsmon start directory_groups.sync --tenant fabrikam' refreshes it.")
    pilot, sales = (line for line in lines if line.startswith(("Pilot", "Sales")))
    assert "unresolved" in pilot
    assert pilot.endswith("no group has this name")
    assert sales.split()[:9] == ["Sales", "g1", "-", "2", "map", "Sales", "x1", "assigned", "the"]
    assert "1 group unresolved, which blocks the restore." in lines
    page = desk("map", number, "--json").json
    assert (page["unresolved"], page["restore"]["id"], len(page["groups"])) == (1, number, 2)
    assert page["complete_at"].endswith("Z")


@on_both
def test_groups_are_decided_on_by_id_or_by_a_name_that_one_alone_has(desk: Desk) -> None:
    number = desk.plan()
    assert desk("map", number, "--map", "Pilot=Other", "--skip", "g1").code == 0
    found = desk.groups(number)
    assert (found["Pilot"]["decision"], found["Pilot"]["target_id"], found["Pilot"]["found_by"]) == (
        "map",
        "x2",
        "choice",
    )
    assert found["Sales"]["decision"] == "skip"
    assert desk.restore(number).status == "checked"
    assert desk("map", number, "--map", "G2=X3", "--unresolve", "Sales").code == 0
    found = desk.groups(number)
    assert (found["Pilot"]["target_id"], found["Sales"]["decision"]) == ("x3", "unresolved")
    assert desk("map", number, "--map", "Pilot=a=b", "--suggest").code == 0
    found = desk.groups(number)
    assert (found["Pilot"]["target_name"], found["Sales"]["target_id"]) == ("a=b", "x1")
    last = desk("map", number, "--unresolve", "g2", "--skip-unresolved")
    assert desk.groups(number)["Pilot"]["decision"] == "unresolved", "what is taken back is not left out at once"
    assert last.code == 0
    done = desk("map", number, "--skip-unresolved").out
    assert done.endswith(f"Next: 'opsmon restore preview {number}'.\n")


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--map", "Pilot=Twice"], "2 groups of fabrikam are called 'Twice': give the id of one"),
        (["--map", "Pilot=nobody"], "the cached directory of fabrikam has no group 'nobody': 'opsmon start directory"),
        (["--map", "Pilot=sales"], "the cached directory of fabrikam has no group 'sales'"),
        (["--map", "Nobody=Sales"], "the restore names no group 'Nobody'"),
        (["--map", "Pilot"], "'Pilot' maps no group to another: write GROUP=TARGET"),
        (["--map", "Pilot="], "the cached directory of fabrikam has no group ''"),
        (["--skip", "Nobody"], "the restore names no group 'Nobody'"),
        (["--skip", "Pilot", "--unresolve", "g2"], "group 'g2' is decided on twice"),
        (["--map", "Pilot=\x1b[2J"], "the cached directory of fabrikam has no group"),
    ],
)
def test_what_is_no_decision_changes_nothing(desk: Desk, argv: list[str], words: str) -> None:
    number = desk.plan()
    before = desk.groups(number)
    answer = desk("map", number, "--map", "g1=x2", "--suggest", *argv)
    assert answer.code == 2
    assert words in answer.line
    assert "\x1b" not in answer.line
    assert desk.groups(number) == before


def test_two_groups_of_one_name_are_told_apart_by_their_ids(desk: Desk, town: CliHarness) -> None:
    desk.set_id = backup(town.db, desk.user, "contoso", [naming(item("A"), g1="Sales", g2="Sales", g3="g2")])
    number = desk.plan()
    told = codes(desk("map", number, "--skip", "Sales"))
    assert told == (2, "2 groups of the restore are called 'Sales': give an id: g1, g2")
    assert "2 groups of the restore are called 'g2': give an id: g2, g3" in desk("map", number, "--skip", "g2").line
    assert desk("map", number, "--map", "g1=x2").code == 0


def test_a_name_means_nobody_while_the_directory_was_never_read_to_its_end(desk: Desk) -> None:
    admin.grant(desk.db, desk.user.login, "contoso", Role.MANAGER)
    see_groups(desk.db, desk.user, "contoso", complete=False, y1="Other")
    number = int(desk("plan", desk.set_id, "--tenant", "contoso", "--json").json["id"])
    assert "was never read to its end, so 'Other' may not be alone" in desk("map", number, "--map", "g1=Other").line
    assert desk("map", number, "--map", "g1=y1").code == 0


# ---- preview


@on_both
def test_a_preview_is_started_as_any_run_is(desk: Desk) -> None:
    number = desk.checked()
    first = desk("preview", number, "--json").json
    assert (first["receipt"], first["run"]["type"]) == ("queued", "restore.preview")
    assert desk("preview", number).out.startswith("Joined the run that is active already. Run ")
    waited = desk("preview", number, "--wait", "0", "--json")
    assert (waited.code, waited.json["receipt"], waited.json["restore"]["id"]) == (6, "attached", number)
    assert f"opsmon: run {first['run']['id']} is still queued" in waited.err


def test_a_preview_that_a_worker_has_begun_is_named(desk: Desk) -> None:
    from tests.support.restoring import preview_run

    number = desk.checked()
    run = preview_run(desk.db, desk.user, desk.restore(number))
    restore_work.begin_preview(desk.db, run.id, desk.restore(number).tenant_id, number)
    assert desk("show", number).out.endswith(f"Run {run.id} previews it: 'opsmon wait {run.id}' waits for it.\n")
    people.end_run(desk.db, run, Result(Outcome.FAILED, failures=(outcome.failure("graph.unauthorized"),)))
    last = desk("show", number).out.splitlines()[-1]
    assert last == f"Its preview failed ('opsmon show {run.id}' says why). Next: 'opsmon restore preview {number}'."


# ---- show


BLOCKED = {"action": "blocked", "reasons": [{"code": "restore.dependency", "words": "the filter \x1b[2J is missing"}]}
AMBIGUOUS = {
    "action": "ambiguous",
    "reasons": [{"code": "restore.ambiguous", "words": "two have this name"}],
    "candidates": [{"id": "c1", "name": "Map drives"}, {"id": "c2", "name": "Map drives"}],
}


@on_both
def test_a_preview_is_shown_with_what_is_in_its_way(desk: Desk) -> None:
    number = desk.previewed(**{"Firewall": BLOCKED, "Map drives": AMBIGUOUS})
    items = desk.items(number)
    shown = desk("show", number).out
    facts = dict(line.split("  ", 1) for line in shown.split("\n\n")[0].splitlines())
    assert facts["State"].strip() == "previewed"
    assert facts["To"].strip() == "fabrikam (Fabrikam)"
    assert facts["Items"].strip() == "3: 1 create, 1 blocked, 1 ambiguous"
    assert facts["Results"].strip() == "3 left"
    assert facts["Preview"].strip().endswith(" old")
    rows = [line for line in shown.splitlines() if "restore." in line]
    assert "restore.dependency: the filter " in rows[0]
    assert "could be Map drives (c1); could be Map drives (c2)" in rows[1]
    assert rows[0].split()[0] == str(items["Firewall"]["id"])
    assert "Edge" not in shown, "it wants no attention"
    skip = f"'opsmon restore choose {number} --skip-blocked' leaves them out"
    assert shown.splitlines()[-1] == f"2 objects in the way. Next: {skip}, or mend it and preview again."
    every = desk("show", number, "--all").out
    assert "Edge" in every
    assert "\x1b" not in every
    told = desk("show", number, "--json").json
    assert told["actions"] == {"create": 1, "blocked": 1, "ambiguous": 1}
    assert (told["results"], told["wants"], len(told["runs"])) == ({"left": 3}, [], 1)
    assert told["runs"][0]["held"] is True
    assert 0 <= told["preview_age"] < 3600
    assert "intent" not in told["items"][0]


@on_both
def test_one_item_is_shown_in_full(desk: Desk) -> None:
    plan = {
        "action": "update",
        "target_id": "t1",
        "differences": [
            {"change": "modified", "path": "description", "old": None, "new": "x", "words": ""},
            {
                "change": "assignment",
                "path": "assignments[g]",
                "old": {},
                "new": {},
                "words": "Sales: include → exclude",
            },
        ],
        "more_differences": 7,
        "assignments": [
            {"words": "include Sales", "state": "kept", "code": "", "reason": ""},
            {"words": "include Pilot", "state": "skipped", "code": "restore.skipped_group", "reason": "left out"},
        ],
    }
    number = desk.previewed(Firewall=plan)
    one = desk.items(number)["Firewall"]["id"]
    shown = desk("show", number, "--item", one).out
    facts = dict(line.split("  ", 1) for line in shown.split("\n\n")[0].splitlines())
    assert (facts["Action"].strip(), facts["Id in the target"].strip()) == ("update", "t1")
    assert shown.split("\n\n")[1].splitlines() == [
        "What differs", '  description: nothing → "x"', "  Sales: include → exclude", "  ... and 7 more",
    ]  # fmt: skip
    assert shown.split("\n\n")[2].splitlines() == [
        "Assignments", "  kept: include Sales", "  skipped: include Pilot (restore.skipped_group: left out)",
    ]  # fmt: skip
    told = desk("show", number, "--item", one, "--json").json
    assert (told["name"], told["plan"]["more_differences"]) == ("Firewall", 7)
    assert codes(desk("show", number, "--item", one + 999)) == (
        3,
        f"restore {number} has no item {one + 999}: 'opsmon restore show {number} --all' lists them",
    )


# ---- choose, agree, discard


@on_both
def test_what_is_in_the_way_is_left_out_or_chosen(desk: Desk) -> None:
    number = desk.previewed(**{"Firewall": BLOCKED, "Map drives": AMBIGUOUS})
    told = desk("choose", number, "--skip-blocked", "--json").json
    assert (told["actions"], told["status"]) == ({"create": 1, "left_out": 2}, "previewed")
    one = desk.items(number)["Map drives"]["id"]
    assert "c9 is none of the objects that item" in desk("choose", number, one, "--target", "c9").line
    assert desk("choose", number, one, "--target", "c2", "--json").json["status"] == "checked", "it is previewed anew"
    assert desk.items(number)["Map drives"]["choice"] == {"target_id": "c2"}
    desk("choose", number, one, "--skip")
    desk("choose", number, one, "--nothing")
    assert desk.items(number)["Map drives"]["choice"] == {}


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [
        (["--skip"], 2, "there is no item to choose for"),
        ([], 2, "one of the arguments --skip --target --nothing --skip-blocked is required"),
        (["1", "--skip", "--nothing"], 2, "not allowed with"),
        (["1", "--skip-blocked"], 2, "--skip-blocked takes no item"),
        (["4711", "--skip"], 2, "has no item 4711 to choose for"),
        (["x", "--skip"], 2, "'x' is not the number of a restore's item"),
    ],
)
def test_what_is_no_choice_is_refused(desk: Desk, argv: list[str], code: int, words: str) -> None:
    number = desk.previewed(Firewall=BLOCKED)
    answer = desk("choose", number, *argv)
    assert answer.code == code
    assert words in answer.line
    assert desk("show", number, "--json").json["actions"]["blocked"] == 1


@on_both
def test_ticks_are_given_and_taken_back(desk: Desk) -> None:
    number = desk.previewed(Firewall={"action": "create", "needs": ["everybody"]})
    shown = desk("show", number).out
    assert shown.endswith(f"It wants to be agreed to. Next: 'opsmon restore agree {number} everybody'.\n")
    refused = desk("execute", number, *NAMED)
    assert codes(refused) == (
        2, f"it wants to be agreed to: everybody: 'opsmon restore agree {number} everybody' does",
    )  # fmt: skip
    told = desk("agree", number, "everybody", "--json").json
    assert (told["ticks"], told["wants"], told["status"]) == (["everybody"], [], "previewed")
    assert desk("agree", number, "--json").json["wants"] == ["everybody"]
    assert desk("agree", number, "no_actions", "--json").json["status"] == "previewed"
    assert desk("agree", number, "downgrade", "--json").json["status"] == "checked"  # what is written is another then
    again = desk("show", number).out.splitlines()[-1]
    assert again == f"Next: 'opsmon restore preview {number}'."
    assert "there is no tick 'all': known are everybody, no_actions, downgrade" in desk("agree", number, "all").line


@on_both
def test_a_discarded_preview_ends_its_run(desk: Desk) -> None:
    number = desk.previewed()
    held = desk.restore(number).run_id
    assert desk("discard", number, "--json").json["status"] == "checked"
    run = lifecycle.get(desk.db, held or 0)
    assert run
    assert [one.code for one in run.failure_summary] == ["restore.abandoned"]
    assert codes(desk("execute", number, *NAMED)) == (
        2, f"restore {number} is checked, and not previewed: 'opsmon restore preview {number}' comes first",
    )  # fmt: skip


# ---- execute and continue


@on_both
def test_it_is_executed_only_when_confirmed_and_dry_unless_for_real(desk: Desk) -> None:
    number = desk.previewed(**{"Map drives": {"action": "update", "target_id": "t1"}})
    effect = "(in Fabrikam: 2 create, 1 update)"
    for argv, words in (
        ([], f"the impact was not reviewed {effect}: 'opsmon restore show {number} --all' lists it"),
        (["--tenant-name", "Fabrikam"], f"the impact was not reviewed {effect}"),
        (["--reviewed"], f"the tenant was not named {effect}: give --tenant-name 'Fabrikam'"),
        (["--reviewed", "--tenant-name", "contoso"], f"'contoso' is not the name of the tenant {effect}: it is"),
    ):
        refused = desk("execute", number, *argv)
        assert refused.code == 2
        assert refused.line.startswith(f"opsmon: {words}")
    assert desk.restore(number).status == "previewed"
    command = desk("show", number).out.splitlines()[-1]
    assert command == (
        f"Next: opsmon restore execute {number} --tenant-name Fabrikam --reviewed (a dry run; --for-real writes)"
    )
    done = desk("execute", number, *NAMED, "--json")
    assert (done.code, done.json["receipt"], done.json["run"]["type"]) == (0, "queued", "restore.execute")
    assert desk.restore(number).dry_run is True
    assert f"restore {number} is queued: wait for run" in desk("execute", number, *NAMED).line
    desk.carried_out(number, how=Outcome.SUCCEEDED)
    assert "completed (dry run)" in desk("list").out
    last = desk("show", number).out.splitlines()[-1]
    again = f"'opsmon restore preview {number}'"
    assert last == f"A dry run: nothing was written. Next: {again}, and then execute with --for-real."
    previewed(desk.db, desk.user, desk.restore(number))
    assert desk("execute", number, *NAMED, "--for-real").code == 0
    assert desk.restore(number).dry_run is False


@on_both
def test_a_preview_that_is_older_than_the_setting_is_not_executed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    number = desk.previewed()
    people.make_older(desk.db, restore_runs, number, "previewed_at", 3 * 3600)
    monkeypatch.setenv("OPSMON_RESTORE_PREVIEW_HOURS", "2")
    told = f"The preview is too old. Next: 'opsmon restore preview {number}'."
    assert desk("show", number).out.splitlines()[-1] == told
    assert codes(desk("execute", number, *NAMED)) == (
        2, f"the preview is 3 h old: 'opsmon restore preview {number}' makes another",
    )  # fmt: skip
    monkeypatch.setenv("OPSMON_RESTORE_PREVIEW_HOURS", "4")
    assert desk("execute", number, *NAMED).code == 0


@on_both
def test_what_became_of_it_is_shown(desk: Desk) -> None:
    number = desk.previewed()
    assert desk("execute", number, *NAMED, "--for-real").code == 0
    assert "carries it out: 'opsmon wait " in desk("show", number).out
    failed = Became("failed", "restore.changed", "somebody has changed it since the preview", "req-1")
    desk.carried_out(
        number, Became("done"), failed, Became("skipped", "restore.exists"), how=Outcome.PARTIALLY_SUCCEEDED
    )
    shown = desk("show", number).out
    assert "1 done, 1 skipped, 1 failed" in shown
    (row,) = [line for line in shown.splitlines() if "restore.changed" in line]
    assert row.endswith("failed  restore.changed: somebody has changed it since the preview")
    assert shown.endswith(f"Not everything is done. Next: 'opsmon restore preview {number}' looks at the rest.\n")
    assert desk("list", "--json").json[0]["results"] == {"done": 1, "skipped": 1, "failed": 1}
    assert f"restore {number} is partial, and not previewed" in desk("execute", number, *NAMED).line


@on_both
def test_what_waits_for_approval_is_continued(desk: Desk) -> None:
    number = desk.previewed()
    assert f"restore {number} is previewed" in desk("continue", number).line
    desk("execute", number, *NAMED, "--for-real")
    waits = Became("waiting", "restore.waits_for_approval", "approval 4711")
    desk.carried_out(number, Became("done"), waits, Became("done"), how=Outcome.PARTIALLY_SUCCEEDED)
    shown = desk("show", number).out
    assert "waiting for approval" in shown
    assert "restore.waits_for_approval: approval 4711" in shown
    assert shown.endswith(f"Next, once it is approved: 'opsmon restore continue {number}'.\n")
    refused = desk("execute", number, *NAMED)
    assert refused.line.endswith(f"'opsmon restore continue {number}' goes on once it is approved")
    told = desk("continue", number, "--json").json
    assert (told["receipt"], told["run"]["type"]) == ("queued", "restore.execute")
    assert told["run"]["retry_of_id"] == desk("show", number, "--json").json["runs"][1]["id"]


# ---- other ways, and nonsense


@on_both
def test_other_ways_to_start_it_name_a_command_that_works(desk: Desk) -> None:
    number = desk.previewed()
    refused = desk.opsmon("start", "restore.execute", "--tenant", "fabrikam", "--param", f"restore_run_id={number}")
    assert codes(refused) == (
        2, "'restore.execute' is started from its restore alone: 'opsmon restore' lists the restores",
    )  # fmt: skip
    assert desk().out.splitlines()[1].split()[0] == str(number)
    run_id = desk.restore(number).run_id
    retried = desk.opsmon("retry", str(run_id))
    assert codes(retried) == (
        2, f"run {run_id} belongs to restore {number}: 'opsmon restore show {number}' says how to go on",
    )  # fmt: skip
    assert "Next: opsmon restore execute" in desk("show", number).out


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [
        (["show", "x"], 2, "'x' is not the number of a restore: 'opsmon restore list' shows them"),
        (["show", "4711"], 3, "no restore 4711: 'opsmon restore list' shows yours"),
        (["show", "9" * 25], 3, f"no restore {'9' * 25}"),
        (["show"], 2, "lacks RESTORE"),
        (["plan", "1"], 2, "lacks --tenant"),
        (["plan", "4711", "--tenant", "fabrikam"], 3, "no backup set 4711"),
        (["plan", "1", "--tenant", "nowhere"], 3, "no tenant 'nowhere'"),
        (["exeute", "1"], 2, "did you mean 'execute'?"),
        (["execute", "1", "--forreal"], 2, "did you mean '--for-real'?"),
        (["preview", "1", "--wait", "-1"], 2, "'-1' is not a number of seconds"),
    ],
)
def test_nonsense_is_refused_on_one_line(desk: Desk, argv: list[str], code: int, words: str) -> None:
    answer = desk(*argv)
    assert answer.code == code
    assert words in answer.line


# ---- one whole way, over HTTP


@pytest.fixture
def two_tenants() -> Iterator[Simulator]:
    with Simulator([SimulatedTenant("contoso"), SimulatedTenant("fabrikam")], page_size=20) as simulator:
        yield simulator


def worker_of(simulator: Simulator, url: str, folder: Path) -> WorkerProcess:
    settings: dict[str, Any] = {"graph_url": simulator.url, "graph_authority": simulator.url}
    for slug in ("contoso", "fabrikam"):
        app = {"directory_id": directory_id(slug), "client_id": CLIENT_ID, "client_secret": secret(slug)}
        settings |= {f"credentials_{slug}_{name}": value for name, value in app.items()}
    return WorkerProcess(url, folder, **settings).ready()


def put_firewall(desk: Desk, simulator: Simulator) -> SimulatedTenant:
    """A policy in contoso for Sales, which both tenants have. Returns the target."""
    ours, theirs = simulator.tenant("contoso"), simulator.tenant("fabrikam")
    to_sales = assigned("g1")
    to_sales["target"] |= {
        "deviceAndAppManagementAssignmentFilterId": None, "deviceAndAppManagementAssignmentFilterType": "none",
    }  # fmt: skip
    ours.put("configuration_policies", {**settings_policy("Firewall"), "assignments": [to_sales]})
    ours.put("groups", {"id": "g1", "displayName": "Sales", "securityEnabled": True})
    theirs.put("groups", {"id": "x1", "displayName": "Sales", "securityEnabled": True})
    return theirs


def back_up(desk: Desk, worker: WorkerProcess) -> None:
    made = desk.opsmon("backups", "create", "--tenant", "contoso", "--kind", "configuration_policies", "--wait")
    assert made.code == 0, made.err + worker.log
    desk.set_id = desk.opsmon("backups", "list", "--json").json[0]["id"]


@pytest.mark.worker
@on_both
def test_a_restore_goes_all_the_way_by_commands(
    desk: Desk, two_tenants: Simulator, database_url: str, tmp_path: Path
) -> None:
    theirs = put_firewall(desk, two_tenants)
    worker = worker_of(two_tenants, database_url, tmp_path)
    try:
        back_up(desk, worker)
        number = desk.plan()
        shown = desk("preview", number, "--wait")
        assert shown.code == 0, shown.err + worker.log
        assert shown.out.startswith("Queued. Run ")
        assert shown.out.endswith(
            f"Next: opsmon restore execute {number} --tenant-name Fabrikam --reviewed (a dry run; --for-real writes)\n"
        )
        tried = desk("execute", number, *NAMED, "--wait", "--json")
        assert (tried.code, tried.json["restore"]["status"]) == (0, "completed"), tried.err + worker.log
        assert theirs.objects["configuration_policies"] == {}, "a dry run writes nothing"
        assert desk("preview", number, "--wait", "--json").json["restore"]["actions"] == {"create": 1}
        done = desk("execute", number, *NAMED, "--for-real", "--wait", "--json")
        assert (done.code, done.json["restore"]["results"]) == (0, {"done": 1}), done.err + worker.log
    finally:
        worker.kill()
    (policy,) = theirs.objects["configuration_policies"].values()
    assert (policy["name"], policy["assignments"][0]["target"]["groupId"]) == ("Firewall", "x1")
    assert desk("show", number).out.endswith("It is done.\n")


@pytest.mark.worker
def test_a_restore_that_waits_for_approval_is_continued_by_command(
    desk: Desk, two_tenants: Simulator, database_url: str, tmp_path: Path
) -> None:
    theirs = put_firewall(desk, two_tenants)
    theirs.protected = {"configuration_policies"}
    worker = worker_of(two_tenants, database_url, tmp_path)
    try:
        back_up(desk, worker)
        number = desk.plan()
        assert desk("preview", number, "--wait").code == 0, worker.log
        waits = desk("execute", number, *NAMED, "--for-real", "--wait", "--json")
        assert (waits.code, waits.json["restore"]["status"]) == (5, "waiting_for_approval"), waits.err + worker.log
        (asked,) = theirs.approvals.listed()
        assert f"restore.waits_for_approval: approval {asked.code}" in desk("show", number).out
        theirs.approvals.decide(asked.code, "approved")
        created = desk("continue", number, "--wait", "--json")
        assert (created.code, created.json["restore"]["status"]) == (5, "waiting_for_approval"), created.err
        _, assigns = theirs.approvals.listed()  # the assignments are a request of their own
        theirs.approvals.decide(assigns.code, "approved")
        done = desk("continue", number, "--wait", "--json")
        assert (done.code, done.json["restore"]["results"]) == (0, {"done": 1}), done.err + worker.log
    finally:
        worker.kill()
    (policy,) = theirs.objects["configuration_policies"].values()
    assert [one["target"]["groupId"] for one in policy["assignments"]] == ["x1"]
