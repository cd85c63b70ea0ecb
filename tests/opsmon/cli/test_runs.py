"""`opsmon start`, `retry`, `wait`, `runs`, `show`, `notifications`, `operations`."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from typing import Any

import pytest

from opsmon.services import Services
from store.db.engine import Database
from store.errors import DatabaseAway, QueueUnavailable
from store.model.records import Outcome, User
from store.people import access
from store.runs import lifecycle as store_runs
from store.runs import log as run_log
from store.runs.log import NewLogLine
from tasks.dispatch import Dispatcher
from tasks.sdk.context import RunContext
from tasks.sdk.operation import operation
from tasks.sdk.registry import Registry
from tests.opsmon.conftest import Answer, Cli, CliHarness, on_both
from tests.support import people

Become = Callable[[str], None]
START = ("start", "system.probe", "--tenant", "contoso")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
LISTED = {
    *("id", "tenant_id", "user_id", "initiator_name", "type", "label", "status", "outcome", "run_identity_hash"),
    *("summary_counts", "failure_summary", "retry_of_id", "worker_id", "dispatched_at", "started_at", "completed_at"),
    *("created_at", "updated_at", "tenant", "tenant_name", "held", "acknowledged_at"),
}
TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.c2lnbmF0dXJl"


def started(opsmon: Cli, *parameters: str) -> int:
    given = [word for parameter in parameters for word in ("--param", parameter)]
    answer = opsmon(*START, *given, "--json")
    assert answer.code == 0
    number: int = answer.json["run"]["id"]
    return number


# ---- start


@on_both
def test_a_start_is_answered_with_its_receipt(opsmon: Cli, town: CliHarness) -> None:
    answer = opsmon(*START, "--param", "items=3", "--param", "seconds=0", "--json")
    assert (answer.code, answer.err) == (0, "")
    assert set(answer.json) == {"receipt", "run"}
    assert answer.json["receipt"] == "queued"
    run = answer.json["run"]
    assert set(run) == LISTED | {"context"}
    assert (run["type"], run["status"], run["outcome"], run["tenant"]) == (
        "system.probe",
        "queued",
        "pending",
        "contoso",
    )
    assert run["initiator_name"] == "Me Myself"
    assert run["context"]["parameters"]["items"] == 3
    assert TIME.fullmatch(run["created_at"])
    assert (run["started_at"], run["summary_counts"], run["failure_summary"]) == (None, None, [])


@on_both
def test_a_twin_is_joined(opsmon: Cli, town: CliHarness) -> None:
    first = started(opsmon)
    answer = opsmon(*START, "--json")
    assert (answer.code, answer.json["receipt"], answer.json["run"]["id"]) == (0, "attached", first)
    plain = opsmon(*START)
    assert plain.out == f"Joined the run that is active already. Run {first}, Probe in contoso: queued.\n"


@on_both
def test_a_queue_that_refuses(opsmon: Cli, town: CliHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise QueueUnavailable("the queue is ill")

    monkeypatch.setattr("tasks.queue.queue.Queue.send", refuse)
    for wait in ([], ["--wait"], ["--wait", "600"]):
        answer = opsmon(*START, "--json", *wait)
        assert (answer.code, answer.json["receipt"]) == (1, "dispatch_failed")
        run = answer.json["run"]
        assert (run["status"], run["outcome"]) == ("completed", "failed")
        assert run["failure_summary"][0]["code"] == "queue.dispatch_failed"
        assert answer.err == f"opsmon: run {run['id']} could not be queued: see 'opsmon doctor'\n"


@pytest.mark.parametrize(
    ("given", "code", "line"),
    [
        (
            ["start", "system.prob", "--tenant", "contoso"],
            2,
            "no operation 'system.prob': did you mean 'system.probe'?",
        ),
        (["start", "zzz", "--tenant", "contoso"], 2, "there is no operation 'zzz': 'opsmon operations' lists them"),
        (["start", "system.probe", "--tenant", "contos"], 3, "no tenant 'contos': 'opsmon tenants list' shows yours"),
        (["start", "system.probe", "--tenant", "fabrikam"], 3, "no tenant 'fabrikam': 'opsmon tenants list' shows"),
        ([*START, "--param", "itms=3"], 2, "there is no parameter 'itms': did you mean 'items'?"),
        ([*START, "--param", "zzz=3"], 2, "there is no parameter 'zzz': known are: items, seconds, fail_items"),
        ([*START, "--param", "items=x"], 2, "parameter 'items' cannot be 'x': give a whole number"),
        ([*START, "--param", "seconds=nan"], 2, "parameter 'seconds' cannot be 'nan': give a number"),
        ([*START, "--param", "items=1", "--param", "items=2"], 2, "parameter 'items' is given twice: give it once"),
        ([*START, "--param", f"error={TOKEN}"], 2, "parameter 'error' looks as if it held a secret"),
    ],
    ids=lambda value: " ".join(value)[-40:] if isinstance(value, list) else None,
)
def test_what_cannot_be_started(opsmon: Cli, town: CliHarness, given: list[str], code: int, line: str) -> None:
    answer = opsmon(*given)
    assert answer.code == code
    assert line in answer.line
    assert opsmon("runs", "--json").json == []


@on_both
def test_a_reader_starts_nothing(opsmon: Cli, town: CliHarness, as_user: Become) -> None:
    run = started(opsmon)
    town.complete(run)
    as_user("rob")
    for argv in (START, ("retry", str(run))):
        answer = opsmon(*argv)
        assert answer.code == 3
        assert answer.line == "opsmon: as readonly of contoso you may not start or retry runs: ask an owner of contoso"
    assert opsmon("show", str(run)).code == 0
    assert len(opsmon("runs", "--json").json) == 1


@on_both
def test_for_who_is_no_member_there_is_nothing(opsmon: Cli, town: CliHarness, as_user: Become) -> None:
    run = started(opsmon)
    town.complete(run)
    as_user("bob")
    assert opsmon("runs", "--json").json == []
    assert opsmon("notifications", "--all", "--json").json == []
    for argv in (["show", str(run)], ["wait", str(run)], ["retry", str(run)]):
        answer = opsmon(*argv)
        assert (answer.code, answer.line) == (3, f"opsmon: no run {run}: 'opsmon runs' lists yours")
        missing = opsmon(argv[0], "4711")
        assert missing.line == answer.line.replace(str(run), "4711", 1)
    assert opsmon("runs", "tenant:contoso").code == 3
    assert opsmon(*START).code == 3


# ---- waiting


@pytest.mark.parametrize(
    ("how", "code"), [(Outcome.SUCCEEDED, 0), (Outcome.PARTIALLY_SUCCEEDED, 4), (Outcome.FAILED, 5)]
)
@pytest.mark.parametrize("wait", [["--wait"], ["--wait", "600"]], ids=["for ever", "600"])
def test_the_exit_code_says_how_the_run_ended(
    opsmon: Cli, town: CliHarness, how: Outcome, code: int, wait: list[str]
) -> None:
    thread = town.complete_soon(how)
    answer = opsmon(*START, *wait, "--json")
    thread.join()
    assert (answer.code, answer.err) == (code, "")
    assert (answer.json["receipt"], answer.json["run"]["outcome"]) == ("queued", how.value)
    number = str(answer.json["run"]["id"])
    again = opsmon("wait", number, "--json")
    assert (again.code, again.json) == (code, answer.json["run"])
    assert opsmon("wait", number, "600").code == code


def test_the_wait_runs_out(opsmon: Cli, town: CliHarness) -> None:
    answer = opsmon(*START, "--wait", "0.3", "--json")
    number = answer.json["run"]["id"]
    assert (answer.code, answer.json["run"]["status"]) == (6, "queued")
    assert answer.err == f"opsmon: run {number} is still queued: 'opsmon wait {number}' goes on waiting\n"
    assert opsmon("wait", str(number), "0").code == 6
    attached = opsmon(*START, "--wait", "0", "--json")
    assert (attached.code, attached.json["receipt"]) == (6, "attached")
    assert opsmon("show", str(number), "--json").json["status"] == "queued"


@on_both
def test_a_wait_for_a_preview_says_at_once_what_it_waits_for(opsmon: Cli, town: CliHarness) -> None:
    number = a_preview(town, label="Restore", context={"restore_run_id": 5})
    answer = opsmon("wait", str(number), "0")
    assert (answer.code, answer.out) == (6, f"Run {number}, Restore in contoso: preview.\n")
    assert answer.err.splitlines() == [
        f"opsmon: run {number}: it is previewed and waits for somebody to execute or discard it: restore 5",
        f"opsmon: run {number} is still a preview: 'opsmon wait {number}' goes on waiting",
    ]


@on_both
def test_a_preview_is_shown_as_one(opsmon: Cli, town: CliHarness) -> None:
    number = a_preview(town, context={"restore_run_id": 5})
    out = opsmon("show", str(number)).out
    assert "it is previewed and waits for somebody to execute or discard it: restore 5" in out
    assert "created: as the preview of restore 5, by Me Myself" in out
    for words in ("no worker is alive", "Position", "queued"):
        assert words not in out
    assert re.search(r"inventory\.sync +Preview", opsmon("runs").out)
    told = opsmon("show", str(number), "--json").json
    assert (told["held"], told["status"], told["waiting"]) == (True, "queued", None)
    assert [run["id"] for run in opsmon("runs", "status:preview", "--json").json] == [number]
    assert opsmon("runs", "status:queued", "--json").json == []


def test_a_wait_may_outlive_the_membership(opsmon: Cli, town: CliHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    def leave(_: float) -> None:
        with town.db.write() as connection:
            connection.exec_driver_sql("DELETE FROM memberships")

    monkeypatch.setattr("opsmon.cli.commands.runs.time.sleep", leave)
    assert opsmon(*START, "--wait").code == 3


def test_a_database_that_goes_away_during_a_wait(
    opsmon: Cli, town: CliHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise DatabaseAway("the database does not answer", "gone")

    monkeypatch.setattr(access, "visible_run", away)
    answer = opsmon(*START, "--wait")
    assert answer.code == 1
    assert re.fullmatch(
        r"opsmon: run \d+ cannot be watched: the database does not answer \(gone\): see 'opsmon doctor'", answer.line
    )


# ---- retry


@on_both
def test_retry_starts_a_run_like_the_old_one(opsmon: Cli, town: CliHarness) -> None:
    old = started(opsmon, "items=3", "key=a")
    refused = opsmon("retry", str(old))
    assert (refused.code, refused.line) == (1, f"opsmon: run {old} is queued: only a completed run can be retried")
    town.complete(old, Outcome.FAILED)
    answer = opsmon("retry", str(old), "--json")
    run = answer.json["run"]
    assert (answer.code, answer.json["receipt"], run["retry_of_id"]) == (0, "queued", old)
    assert run["context"]["parameters"] == opsmon("show", str(old), "--json").json["context"]["parameters"]
    again = opsmon("retry", str(old), "--wait", "0")
    assert again.code == 6
    assert again.out.startswith("Joined the run that is active already. Run ")
    town.complete(run["id"], Outcome.PARTIALLY_SUCCEEDED)
    thread = town.complete_soon(Outcome.PARTIALLY_SUCCEEDED)
    assert opsmon("retry", str(run["id"]), "--wait").code == 4
    thread.join()
    attempts = opsmon("show", str(run["id"]), "--json").json["attempts"]
    assert [attempt["id"] for attempt in attempts][:2] == [old, run["id"]]
    assert "Attempts" in opsmon("show", str(old)).out


def test_a_retry_with_other_parameters(opsmon: Cli, town: CliHarness) -> None:
    old = started(opsmon, "items=3", "key=a")
    town.complete(old, Outcome.FAILED)
    answer = opsmon("retry", str(old), "--param", "key=b", "--json")
    run = answer.json["run"]
    assert (answer.code, answer.json["receipt"], run["retry_of_id"]) == (0, "queued", old)
    assert (run["context"]["parameters"]["items"], run["context"]["parameters"]["key"]) == (3, "b")


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (["--param", "itms=3"], "there is no parameter 'itms': did you mean 'items'?"),
        (["--param", "zzz=3"], "there is no parameter 'zzz': known are: items"),
        (["--param", "items=x"], "parameter 'items' cannot be 'x': give a whole number"),
        (["--param", "key=a", "--param", "key=b"], "parameter 'key' is given twice: give it once"),
        (["--dry-run", "--wait"], "a dry run starts nothing to wait for: leave --wait out"),
        (["--dryrun"], "did you mean '--dry-run'?"),
        (["17", "--wait"], "only one run can be waited for: leave --wait out, or retry one run"),
        (["x"], "'x' is not the number of a run"),
        (["--param", "key=b", "x"], "'x' is not the number of a run"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_retried_starts_nothing(opsmon: Cli, town: CliHarness, given: list[str], line: str) -> None:
    old = started(opsmon)
    town.complete(old, Outcome.FAILED)
    answer = opsmon("retry", str(old), *given)
    assert answer.code == 2
    assert line in answer.line
    assert len(opsmon("runs", "--json").json) == 1


@on_both
def test_several_retries_have_a_receipt_each(opsmon: Cli, town: CliHarness) -> None:
    first, same, second, queued = (started(opsmon, f"key={key}") for key in "abcd")
    for run in (first, same, second):
        town.complete(run, Outcome.FAILED)
    opsmon("retry", str(same))
    answer = opsmon("retry", str(first), str(same), "--json", str(second), str(first), str(queued), "987654")
    receipts = answer.json
    assert [one["retry_of"] for one in receipts] == [first, same, second, queued, 987654]
    assert [one["receipt"] for one in receipts] == ["queued", "attached", "queued", "refused", "refused"]
    assert [one["run"] and one["run"]["retry_of_id"] for one in receipts] == [first, same, second, None, None]
    assert [one.get("code") for one in receipts] == [None, None, None, "run.changed", "access.not_found"]
    assert (answer.code, answer.err) == (1, "opsmon: 2 of 5 runs were not retried: the answer names each\n")


def test_several_retries_in_text(opsmon: Cli, town: CliHarness) -> None:
    old, queued = started(opsmon, "key=a"), started(opsmon, "key=b")
    town.complete(old, Outcome.FAILED)
    answer = opsmon("retry", str(old), str(queued))
    new = queued + 1
    assert answer.out.splitlines() == [
        f"Run {old}: Queued. Run {new}, Probe in contoso: queued.",
        f"Run {queued}: Refused: run {queued} is queued: only a completed run can be retried.",
    ]
    town.complete(new, Outcome.FAILED)
    town.complete(queued, Outcome.FAILED)
    well = opsmon("retry", str(old), str(queued))
    assert (well.code, well.err, len(well.out.splitlines())) == (0, "", 2)


def test_of_several_retries_what_came_before_the_database_went_away_is_told(
    opsmon: Cli, town: CliHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [started(opsmon, f"key={key}") for key in "abc"]
    for run in ids:
        town.complete(run, Outcome.FAILED)
    send = Dispatcher.retry
    tries = []

    def once(self: Dispatcher, user: User, run_id: int) -> Any:
        tries.append(run_id)
        if len(tries) > 1:
            raise DatabaseAway("gone")
        return send(self, user, run_id)

    monkeypatch.setattr(Dispatcher, "retry", once)
    answer = opsmon("retry", *map(str, ids), "--json")
    assert [one["receipt"] for one in answer.json] == ["queued", "refused", "refused"]
    assert [one.get("code") for one in answer.json] == [None, "database.away", "database.away"]
    assert (answer.code, tries) == (1, ids[:2])


@on_both
def test_a_dry_run_starts_nothing(opsmon: Cli, town: CliHarness) -> None:
    one, twin, queued = (started(opsmon, f"key={key}") for key in "abc")
    town.complete(one, Outcome.FAILED)
    town.complete(twin, Outcome.FAILED)
    active = opsmon("retry", str(twin), "--json").json["run"]["id"]
    before = opsmon("runs", "--json").json
    fine = opsmon("retry", "--dry-run", str(one), str(twin), "--json")
    assert (fine.code, fine.err) == (0, "")
    assert [(each["run_id"], each["fate"], each["twin_id"]) for each in fine.json] == [
        (one, "eligible", None),
        (twin, "joins", active),
    ]
    refused = opsmon("retry", str(one), str(queued), "--dry-run")
    assert refused.code == 1
    assert refused.out.splitlines()[-1] == "Dry run, nothing was started: 1 eligible, 0 joins a twin, 1 refused."
    assert "only a completed run can be retried" in refused.out
    edited = opsmon("retry", str(one), "--param", "key=b", "--dry-run", "--json").json
    assert (edited[0]["fate"], edited[0]["twin_id"]) == ("joins", active)
    assert opsmon("runs", "--json").json == before


# ---- lists


@on_both
def test_runs_are_listed_newest_first(opsmon: Cli, town: CliHarness) -> None:
    assert opsmon("runs").out == "No runs.\n"
    numbers = [started(opsmon, f"key={key}") for key in "abc"]
    town.complete(numbers[0], Outcome.FAILED)
    answer = opsmon("runs", "--json")
    assert [run["id"] for run in answer.json] == numbers[::-1]
    assert all(set(run) == LISTED | {"worker_silent_seconds"} for run in answer.json)
    failed = answer.json[-1]
    assert failed["summary_counts"] == {"total": 3, "success": 0, "failed": 3, "skipped": 0}
    assert failed["failure_summary"] == [
        {"code": "operation.error", "message": "The operation failed: it broke", "count": 3}
    ]
    lines = opsmon("runs").out.splitlines()
    assert lines[0].split()[:4] == ["RUN", "TENANT", "TYPE", "STATE"]
    assert [int(line.split()[0]) for line in lines[1:]] == numbers[::-1]
    assert "The operation failed: it broke" in lines[-1]
    assert [run["id"] for run in opsmon("runs", "--limit", "1", "--json").json] == [numbers[2]]


def ids(answer: Answer) -> list[int]:
    assert answer.code == 0
    return [run["id"] for run in answer.json]


@on_both
def test_runs_are_filtered(opsmon: Cli, town: CliHarness, as_user: Become) -> None:
    mine, failed = started(opsmon, "key=a"), started(opsmon, "key=b")
    town.complete(failed, Outcome.FAILED)
    as_user("ann")
    theirs = started(opsmon, "key=c")
    assert ids(opsmon("runs", "--json", "status:queued")) == [theirs, mine]
    assert ids(opsmon("runs", "--json", "outcome:failed", "tenant:contoso", "since:2h")) == [failed]
    assert ids(opsmon("runs", "--json", "mine")) == [theirs]
    assert ids(opsmon("runs", "--limit", "9", "--json", "mine", "outcome:failed")) == []
    assert ids(opsmon("runs", "--json", "type:system.*")) == [theirs, failed, mine]
    assert ids(opsmon("runs", "--json", "type:inventory.*")) == []
    assert ids(opsmon("runs", "--json", "-outcome:failed")) == [theirs, mine]
    assert ids(opsmon("runs", "!mine", "--json")) == [failed, mine]
    assert ids(opsmon("runs", "-mine", "--json", "--limit", "1")) == [failed]
    assert ids(opsmon("runs", "--json", "by:ann")) == [theirs]
    assert ids(opsmon("runs", "--json", f"id:{mine}")) == [mine]
    assert ids(opsmon("runs", "--json", "PROBE", "-status:queued")) == [failed]


@pytest.mark.parametrize(
    ("term", "code", "line"),
    [
        ("statu:running", 2, "'statu:running' is no filter: did you mean 'status'?"),
        ("status:gone", 2, "'gone' is no status: known are queued, running, completed, preview"),
        (
            "outcome:",
            2,
            "the filter 'outcome:' lacks its value: write outcome:VALUE "
            "(pending, succeeded, partially_succeeded, failed or cancelled)",
        ),
        ("since:yesterday", 2, "'yesterday' is no time: write since:2h, since:7d or since:2026-03-01"),
        ("tenant:fabrikam", 3, "no tenant 'fabrikam': 'opsmon tenants list' shows yours"),
    ],
)
def test_filters_that_are_none(opsmon: Cli, town: CliHarness, term: str, code: int, line: str) -> None:
    answer = opsmon("runs", term)
    assert (answer.code, answer.line) == (code, f"opsmon: {line}")


# ---- one run


def log(db: Database, run_id: int, *lines: str) -> None:
    run = store_runs.get(db, run_id)
    assert run
    with db.write() as connection:
        run_log.append(connection, run, [NewLogLine("warning", line) for line in lines])


@on_both
def test_show_tells_the_story(opsmon: Cli, town: CliHarness) -> None:
    number = started(opsmon, "items=3")
    story = opsmon("show", str(number), "--json").json["timeline"]
    assert [moment["event"] for moment in story] == ["created", "queued"]
    town.complete(number, Outcome.PARTIALLY_SUCCEEDED)
    log(town.db, number, "first", "second")
    answer = opsmon("show", str(number), "--json")
    assert set(answer.json) == LISTED | {"context", "timeline", "attempts", "waiting", "worker", "usual"} | {
        *("worker_silent_seconds", "acknowledgement", "watched")
    }
    story = answer.json["timeline"]
    assert [moment["event"] for moment in story] == ["created", "queued", "started", "log", "log", "completed"]
    assert [moment["at"] for moment in story] == sorted(moment["at"] for moment in story)
    assert [(moment["level"], moment["message"]) for moment in story[3:5]] == [
        ("warning", "first"),
        ("warning", "second"),
    ]
    assert all(set(moment) == {"at", "event", "level", "message"} for moment in story)
    assert [attempt["id"] for attempt in answer.json["attempts"]] == [number]


def test_show_in_plain_text(opsmon: Cli, town: CliHarness) -> None:
    number = started(opsmon, "items=3")
    town.complete(number, Outcome.PARTIALLY_SUCCEEDED)
    log(town.db, number, "a line")
    out = opsmon("show", str(number)).out
    for text in (
        "Probe (system.probe)",
        "Contoso (contoso)",
        "Partially succeeded",
        "2/3, 1 failed",
        "Me Myself",
        "1 x graph.throttled: Microsoft Graph throttled the requests: it broke",
        "items = 3",
        "created: by Me Myself",
        "warning: a line",
        "completed: partially succeeded",
    ):
        assert text in out


@on_both
def test_show_tells_why_a_run_waits_and_who_has_it(opsmon: Cli, town: CliHarness) -> None:
    first, second = started(opsmon, "key=a"), started(opsmon, "key=b")
    out = opsmon("show", str(second)).out
    assert f"2nd: 1 is ahead; the oldest, run {first}, was opened" in out
    assert "no worker is alive" in out
    told = opsmon("show", str(second), "--json").json
    assert (told["waiting"]["ahead"], told["waiting"]["oldest_id"]) == (1, first)
    assert (told["worker"], told["usual"]) == (None, None)
    for number in (first, second, *(started(opsmon, f"key={n}") for n in range(2))):
        town.complete(number)
    told = opsmon("show", str(second), "--json").json
    assert told["usual"]["count"] == 3
    assert told["usual"]["p50"] <= told["usual"]["p95"]
    assert told["worker"]["pid"]
    assert "of the last 3" in opsmon("show", str(second)).out


@on_both
def test_a_card_is_plain_text_for_a_ticket(opsmon: Cli, town: CliHarness) -> None:
    number = started(opsmon, "items=3")
    town.complete(number, Outcome.PARTIALLY_SUCCEEDED)
    log(town.db, number, "a line")
    text = opsmon("show", str(number), "--card").out
    assert text.isascii()
    assert max(map(len, text.splitlines())) <= 72
    for words in (f"Run:         {number}", "Partially succeeded", "items = 3", "a line", "1 x graph.throttled"):
        assert words in text
    told = opsmon("show", str(number), "--card", "--json").json["card"]
    assert but_for_its_instant(told) == but_for_its_instant(text)


def but_for_its_instant(card: str) -> list[str]:
    """The lines of a card without the one that says when it was made."""
    lines = [line for line in card.splitlines() if not line.startswith("opsmon, ")]
    assert len(lines) == len(card.splitlines()) - 1
    return lines


@on_both
def test_show_reads_the_notifications_of_its_run_alone(opsmon: Cli, town: CliHarness) -> None:
    first, second = started(opsmon, "key=a"), started(opsmon, "key=b")
    town.complete(first)
    unread = opsmon("notifications", "--json").json
    assert [(note["run_id"], note["kind"]) for note in unread] == [
        (first, "completed"),
        (second, "queued"),
        (first, "queued"),
    ]
    assert opsmon("show", str(first)).code == 0
    assert [note["run_id"] for note in opsmon("notifications", "--json").json] == [second]
    everything = opsmon("notifications", "--all", "--json").json
    assert [bool(note["read_at"]) for note in everything] == [True, False, True]
    assert set(everything[0]) == {
        "id",
        "run_id",
        "user_id",
        "kind",
        "title",
        "body",
        "created_at",
        "read_at",
        "outcome",
    }


def test_notifications_in_plain_text(opsmon: Cli, town: CliHarness, as_user: Become) -> None:
    assert opsmon("notifications").out == "No unread notifications.\n"
    assert opsmon("notifications", "--all").out == "No notifications.\n"
    number = started(opsmon)
    line = opsmon("notifications").out.splitlines()[1]
    assert line.split()[0] == str(number)
    assert "Probe queued" in line
    as_user("ann")
    assert opsmon("notifications").out == "No unread notifications.\n"


@on_both
def test_hostile_text_stays_text(opsmon: Cli, town: CliHarness) -> None:
    evil = "boom [/foo] \x1b]52;c;ZXZpbA==\x07 \x9b2J \u202egpj"
    number = started(opsmon, "items=3")
    town.complete(number, Outcome.FAILED, evil)
    log(town.db, number, evil)
    with town.db.write() as connection:  # what got past the sanitizer, or was stored by something else
        connection.exec_driver_sql("UPDATE operation_runs SET initiator_name = 'x\x1b[31m\ny', label = 'l\x07\x9b'")
        connection.exec_driver_sql("UPDATE notifications SET title = 't\x1b]0;x\x07', body = 'b\u202e'")
    for argv in (["runs"], ["show", str(number)], ["notifications"], ["wait", str(number)], ["retry", str(number)]):
        for form in ([], ["--json"]):
            answer = opsmon(*argv, *form)
            bad = {"\x1b", "\x07", "\x9b", "\u202e"} & set(answer.out + answer.err)
            assert not bad, argv


# ---- operations


@operation("dns.flush", label="Flush DNS caches", identity=["zone"])
def flush(run: RunContext, zone: str, dry_run: bool = True) -> None:
    """Forget names.

    Args:
        zone: whose names
    """


def registry(monkeypatch: pytest.MonkeyPatch, *problems: str) -> None:
    found = Registry({"dns.flush": Registry.of([flush]).get("dns.flush")}, problems)
    monkeypatch.setattr(Services, "registry", found)


def test_operations(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    registry(monkeypatch)
    answer = cli("operations", "--json")
    assert answer.code == 0
    (found,) = answer.json
    assert (found["type"], found["label"], found["summary"]) == ("dns.flush", "Flush DNS caches", "Forget names.")
    expected: list[dict[str, Any]] = [
        {"name": "zone", "type": "text", "required": True, "default": None, "help": "whose names"},
        {"name": "dry_run", "type": "boolean", "required": False, "default": True, "help": ""},
    ]
    assert found["parameters"] == [{**parameter, "optional": False, "choices": []} for parameter in expected]
    out = cli("operations").out
    assert "dns.flush  Flush DNS caches: Forget names." in out
    assert "zone (text, required): whose names" in out
    assert "dry_run (boolean, default yes)" in out


@operation("dns.restore", label="Restore names", only_from="its restore")
def bring_back(run: RunContext, zone: str) -> None:
    """Bring names back."""


@on_both
def test_what_is_started_from_its_restore_alone(opsmon: Cli, town: CliHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is listed with that; to start it or to retry a run of it is refused, and the restore is named."""
    monkeypatch.setattr(Services, "registry", Registry.of([bring_back]))
    assert opsmon("operations", "--json").json[0]["only_from"] == "its restore"
    assert "Bring names back. (started from its restore alone)" in opsmon("operations").out
    for given in ([], ["--param", "zone=x"], ["--param", "zoen=x"]):
        answer = opsmon("start", "dns.restore", "--tenant", "contoso", *given)
        refusal = "opsmon: 'dns.restore' is started from its restore alone: 'opsmon restore' lists the restores"
        assert (answer.code, answer.line) == (2, refusal)
    number = a_preview(town, type="dns.restore", context={"restore_run_id": 5})
    words = f"run {number} belongs to restore 5: 'opsmon restore show 5' says how to go on"
    for given in ([], ["--param", "zone=x"]):
        answer = opsmon("retry", str(number), *given)
        assert (answer.code, answer.line) == (2, f"opsmon: {words}")
    assert words in opsmon("retry", str(number), "--dry-run").out
    assert len(opsmon("runs", "--json").json) == 1


def a_preview(town: CliHarness, **changed: Any) -> int:
    """A held run in contoso."""
    me = access.find_user(town.db, town.me)
    tenant = access.require_right(town.db, me, "contoso", access.Right.VIEW)
    return people.open_run(town.db, tenant, me, held=True, **changed).id


def test_plug_ins_that_are_broken_are_told_of(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    registry(monkeypatch, "plug-in 'x' cannot be loaded: \x1b[2JValueError")
    answer = cli("operations", "--json")
    assert (answer.code, len(answer.json)) == (0, 1)
    assert answer.err == "opsmon: plug-in 'x' cannot be loaded: ValueError: see its package\n"


def test_the_probe_is_among_them(cli: Cli) -> None:
    probe = next(found for found in cli("operations", "--json").json if found["type"] == "system.probe")
    assert [parameter["name"] for parameter in probe["parameters"]] == [
        *("items", "seconds", "fail_items", "skip_items", "error", "key")
    ]


@on_both
def test_each_end_of_a_run_has_its_exit_code(opsmon: Cli, town: CliHarness) -> None:
    codes = {Outcome.SUCCEEDED: 0, Outcome.PARTIALLY_SUCCEEDED: 4, Outcome.FAILED: 5}
    for how, code in codes.items():
        run = started(opsmon)
        town.complete(run, how)
        assert opsmon("wait", str(run)).code == code, how


# ---- how the list looks


@on_both
def test_at_80_columns_a_run_is_one_row_on_a_line(
    opsmon: Cli, town: CliHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    for outcome in (Outcome.FAILED, Outcome.PARTIALLY_SUCCEEDED, Outcome.SUCCEEDED):
        run = opsmon("start", "system.probe", "--tenant", "contoso", "--json").json["run"]
        town.complete(
            run["id"], outcome, "a message that is far longer than what is left of a narrow terminal's line " * 3
        )
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    out = opsmon("runs").out
    lines = re.sub(r"\x1b\[[0-9;]*m", "", out).splitlines()
    assert len(lines) == 4
    assert max(map(len, lines)) <= 80
    assert lines[0].split()[:4] == ["RUN", "TENANT", "TYPE", "STATE"]
    assert [re.search(r"\x1b\[([0-9;]*)m", line)[1] for line in out.splitlines()[1:]] == ["2", "33", "1;31"]  # type: ignore[index]
    monkeypatch.undo()


@on_both
def test_what_is_piped_is_whole(opsmon: Cli, town: CliHarness) -> None:
    message = "a long message " * 10 + "to its end"
    run = opsmon("start", "system.probe", "--tenant", "contoso", "--json").json["run"]
    town.complete(run["id"], Outcome.FAILED, message)
    out = opsmon("runs").out
    assert out.splitlines()[1].endswith("to its end")
    assert "\x1b" not in out
    assert opsmon("runs", "-o", "name").out == f"{run['id']}\n"
    assert json.loads(opsmon("runs", "-o", "jsonl").out)["id"] == run["id"]
    assert opsmon("runs", "--columns", "outcome,id").out.split() == ["OUTCOME", "RUN", "failed", str(run["id"])]
    assert "WORKER" in opsmon("runs", "-o", "wide").out
