"""What the command line makes of its arguments, and how it tells what went wrong."""

from __future__ import annotations

import argparse
import importlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from opsmon import output
from opsmon.cli import grammar, parser
from opsmon.cli import main as front
from opsmon.cli.commands import config
from store.errors import DatabaseAway, InputInvalid
from tests.opsmon.conftest import Cli
from tests.support.waiting import HANG

HEAVY = ("sqlalchemy", "alembic", "psycopg", "huey", "textual", "httpx", "msal", "argcomplete")


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for sub in action.choices.values():
                yield from parsers(sub)


ALL = list(parsers(parser.make_parser()))
COMMANDS = [parser for parser in ALL if parser.get_default("run")]


@pytest.mark.parametrize("parser", COMMANDS, ids=lambda parser: parser.prog)
def test_every_command_names_a_function(parser: argparse.ArgumentParser) -> None:
    module, _, function = parser.get_default("run").partition(":")
    assert callable(getattr(importlib.import_module(f"opsmon.cli.commands.{module}"), function))


def test_options_that_can_be_meant_are_those_that_there_are() -> None:
    there = {o for parser in ALL for a in parser._actions for o in a.option_strings if a.help != argparse.SUPPRESS}
    assert set(parser.OPTIONS) == {option for option in there if option.startswith("--")}


@pytest.mark.parametrize("parser", ALL, ids=lambda parser: parser.prog)
def test_every_command_has_help_and_takes_json(cli: Cli, parser: argparse.ArgumentParser) -> None:
    answer = cli(*parser.prog.split()[1:], "--help")
    assert (answer.code, answer.err) == (0, "")
    assert "--json" in answer.out


def loaded(code: str) -> list[str]:
    script = f"import sys\n{code}\nprint('\\n'.join(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=HANG)
    return [name for name in done.stderr.split() if name in HEAVY]


@pytest.mark.worker
def test_help_waits_for_no_library() -> None:
    assert loaded("from opsmon.cli.main import main; main(['--help'])") == []


@pytest.mark.worker
def test_only_what_enqueues_imports_huey(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSMON_DATABASE_URL", sqlite_url)
    code = "from opsmon.cli.main import main\nfor argv in {}: assert main(argv.split()) in (0, 3)"
    quiet = ["users list", "runs", "show 1", "notifications", "operations", "config", "wait 1", "tenants list"]
    quiet += ["backups list", "backups show 1", "schedules list"]
    assert set(loaded(code.format(quiet))) <= {"sqlalchemy", "httpx", "msal"}


WRONG = [
    (["rnus"], "there is no command 'opsmon rnus': did you mean 'runs'?"),
    (["fly"], "there is no command 'opsmon fly': see 'opsmon --help'"),
    (["it's"], "there is no command 'opsmon it's': see 'opsmon --help'"),
    (["db"], "'opsmon db' lacks COMMAND: see 'opsmon db --help'"),
    (["db", "chek"], "there is no command 'opsmon db chek': did you mean 'check'?"),
    (["start"], "'opsmon start' lacks TYPE, --tenant: see 'opsmon start --help'"),
    (["start", "system.probe"], "'opsmon start' lacks --tenant: see 'opsmon start --help'"),
    (["users", "grant", "x", "--tenant", "t", "--role", "ownr"], "--role cannot be 'ownr': did you mean 'owner'?"),
    (
        ["users", "grant", "x", "--tenant", "t", "--role", "boss"],
        "--role cannot be 'boss': known are owner, manager, operator, readonly",
    ),
    (["runs", "--jsno"], "there is no argument '--jsno' here: did you mean '--json'?"),
    (["runs", "--lim", "3"], "there is no argument '--lim' here: did you mean '--limit'?"),
    (["--xyz"], "there is no argument '--xyz' here: see 'opsmon --help'"),
    (["operations", "all"], "there is no argument 'all' here: see 'opsmon --help'"),
    (["runs", "--limit"], "--limit: expected one argument: see 'opsmon runs --help'"),
    (["runs", "--limit", "0"], "'0' cannot be used here: give a whole number from 1 to 1000"),
    (["runs", "--limit", "1001"], "'1001' cannot be used here: give a whole number from 1 to 1000"),
    (["runs", "--limit", "²"], "'²' cannot be used here: give a whole number from 1 to 1000"),
    (["worker", "--workers", "0"], "'0' cannot be used here: give a whole number from 1 to 256"),
    (["show", "abc"], "'abc' is not the number of a run: 'opsmon runs' shows them"),
    (["show", "1.5"], "'1.5' is not the number of a run: 'opsmon runs' shows them"),
    (["retry", "-1"], "'-1' is not the number of a run: 'opsmon runs' shows them"),
    (["wait", "1", "soon"], "'soon' is not a number of seconds: give 0 or more"),
    (["wait", "1", "nan"], "'nan' is not a number of seconds: give 0 or more"),
    (["wait", "1", "inf"], "'inf' is not a number of seconds: give 0 or more"),
    (["start", "x", "--tenant", "t", "--wait=-1"], "'-1' is not a number of seconds: give 0 or more"),
    (["start", "x", "--tenant", "t", "--param", "a"], "'a' gives no parameter a value: write --param NAME=VALUE"),
    (["start", "x", "--tenant", "t", "--param", "=a"], "'=a' gives no parameter a value: write --param NAME=VALUE"),
    (["runs", "\udcff"], "an argument is not text in this locale's encoding: give UTF-8, under a UTF-8 locale"),
]


@pytest.mark.parametrize(("argv", "line"), WRONG, ids=lambda value: ascii(value)[:40] if value else None)
def test_wrong_usage_is_one_line_and_exit_code_2(cli: Cli, argv: list[str], line: str) -> None:
    answer = cli(*argv)
    assert (answer.code, answer.line) == (2, f"opsmon: {line}")


@pytest.mark.parametrize("number", ["0", str(2**63), "9" * 30])
def test_a_number_that_no_run_can_have_is_not_found(cli: Cli, number: str) -> None:
    answer = cli("show", number)
    assert (answer.code, answer.line) == (3, f"opsmon: no run {number}: 'opsmon runs' lists yours")


def test_options_may_stand_before_or_behind_the_command() -> None:
    for argv in (["--json", "--as", "ann", "runs"], ["runs", "--json", "--as", "ann"], ["--json", "runs", "--as=ann"]):
        found = parser.parse(argv)
        assert (found.json, found.as_login) == (True, "ann")
    assert (parser.parse(["db", "check"]).json, parser.parse(["db", "--json", "check"]).json) == (False, True)


def test_words_behind_an_option_are_not_lost() -> None:
    assert parser.parse(["runs", "since:2h", "--limit", "5", "mine"]).filters == ["since:2h", "mine"]
    given = parser.parse(["start", "x", "--param", "a=1", "b=2=3", "--tenant", "t", "--param", "c="]).parameters
    assert sorted(given) == [("a", "1"), ("b", "2=3"), ("c", "")]
    # Lists must not be shared by one parse with the next.
    assert parser.parse(["runs"]).filters == []


def test_version(cli: Cli) -> None:
    answer = cli("--version")
    assert (answer.code, answer.out.split()[0]) == (0, "opsmon")


# ---- the edge


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail(*_: object) -> int:
        raise error

    monkeypatch.setattr(config, "config", fail)


def test_what_nobody_expected_is_one_line_too(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, RuntimeError("one\ntwo \x1b]52;c;x\x07 password=hunter2 " + "x" * 5000))
    answer = cli("config")
    assert answer.code == 1
    assert answer.line.startswith("opsmon: unexpected RuntimeError: one two password=[secret]")
    assert len(answer.line) <= front.MAX_LINE


def test_a_traceback_only_on_request(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, InputInvalid("no", "yes"))
    assert (cli("config").code, cli("config").line) == (2, "opsmon: no: yes")
    monkeypatch.setenv("OPSMON_DEBUG", "1")
    answer = cli("config")
    assert answer.code == 2
    assert "Traceback (most recent call last)" in answer.err
    assert answer.err.endswith("opsmon: no: yes\n")


def test_what_the_driver_says_stands_before_the_advice() -> None:
    line = front.error_line(DatabaseAway("the database does not answer", "refused\x1b[2J"))
    assert line == "opsmon: the database does not answer (refused): see 'opsmon doctor'"


@pytest.mark.parametrize("json_option", [["--json"], ["-o", "json"], ["-ojsonl"]], ids="".join)
def test_errors_are_json_too(cli: Cli, json_option: list[str]) -> None:
    answer = cli("runs", "outcome:lost", *json_option)
    assert (answer.code, answer.out, answer.err.count("\n")) == (2, "", 1)
    told = json.loads(answer.err)
    assert (told["code"], told["message"]) == ("input.invalid", "'lost' is no outcome")
    assert told["hint"].startswith("known are pending")


def test_errors_are_json_where_the_arguments_cannot_be_parsed_or_nobody_expected_them(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = cli("--json", "rnus")
    assert json.loads(answer.err) == {
        "code": "input.invalid",
        "message": "there is no command 'opsmon rnus'",
        "hint": "did you mean 'runs'?",
    }
    failing(monkeypatch, RuntimeError("\x1b]52;c;x\x07 password=hunter2 " + "x" * 5000))
    told = json.loads(cli("config", "--json").err)
    assert told["message"].startswith("unexpected RuntimeError: password=[secret]")
    assert len(told["message"]) <= front.MAX_LINE
    failing(monkeypatch, DatabaseAway("the database does not answer", "refused"))
    assert json.loads(cli("config", "--json").err) == {
        "code": "database.away",
        "message": "the database does not answer (refused)",
        "hint": "see 'opsmon doctor'",
    }
    failing(monkeypatch, InputInvalid("no"))
    assert json.loads(cli("config", "--json").err)["hint"] is None


@pytest.mark.parametrize("parser", ALL, ids=lambda parser: parser.prog)
def test_help_is_the_same_in_words(cli: Cli, parser: argparse.ArgumentParser) -> None:
    words = parser.prog.split()[1:]
    answer = cli("help", *words)
    assert (answer.code, answer.out) == (0, cli(*words, "--help").out)
    assert cli("help", *words, "--json").json["command"] == parser.prog


def test_help_for_what_there_is_not(cli: Cli) -> None:
    assert cli("help", "rnus").line == "opsmon: there is no command 'opsmon rnus': did you mean 'runs'?"
    assert cli("help", "runs", "x").line == "opsmon: there is no command 'opsmon runs x': see 'opsmon runs --help'"


def test_the_forms_of_a_list_are_named_as_they_are_printed() -> None:
    assert grammar.FORMS == output.FORMS


def test_a_negated_filter_is_no_option() -> None:
    found = parser.parse(["runs", "-outcome:failed", "-o", "name", "-mine", "-code:x"])
    assert (found.filters, found.form) == (["-outcome:failed", "-mine", "-code:x"], "name")


@pytest.mark.parametrize(
    ("argv", "line"),
    [
        (["runs", "-o", "jsno"], "-o cannot be 'jsno': did you mean 'json'?"),
        (["runs", "--json", "-o", "name"], "--json is not -o name: give one of them"),
        (["runs", "--columns", "id,,x"], "'id,,x' names no columns: write them as in --columns id,tenant"),
        (["show", "1", "-o", "json"], "there is no argument '-o' here: see 'opsmon --help'"),
    ],
)
def test_forms_and_columns_that_cannot_be(cli: Cli, argv: list[str], line: str) -> None:
    answer = cli(*argv)
    assert answer.code == 2
    told = json.loads(answer.err) if answer.err.startswith("{") else None
    assert (f"{told['message']}: {told['hint']}" if told else answer.line.removeprefix("opsmon: ")) == line


def test_an_interrupt_is_quiet(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, KeyboardInterrupt())
    assert cli("config").code == 130
    assert cli("config").err == ""


@pytest.mark.worker
def test_a_reader_that_goes_away_is_quiet() -> None:
    script = "import sys; from opsmon.cli.main import main; sys.exit(main(['config']))"
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", script], stdout=writing, stderr=subprocess.PIPE, check=False, timeout=HANG
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_closed_standard_output_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    assert front.main(["config"]) == 0
    sys.stdout.close()


def test_a_locale_without_the_character_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    monkeypatch.setenv("OPSMON_GRAPH_URL", "https://gräph")
    assert front.main(["config"]) == 0
    assert b"gr\\xe4ph" in raw.getvalue()


# ---- the screens


def test_the_screens_want_a_terminal(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    line = "opsmon: the screens need a terminal, and this is none: 'opsmon runs' prints the runs"
    assert (cli().code, cli().line, cli("demo").line) == (2, line, line)
    for name in ("stdin", "stdout"):
        monkeypatch.setattr(getattr(sys, name), "isatty", lambda: True, raising=False)
    for term in ("dumb", ""):
        monkeypatch.setenv("TERM", term)
        assert cli().line == line
    monkeypatch.delenv("TERM")
    assert cli().line == line


def test_the_screens_have_no_json(cli: Cli) -> None:
    answer = cli("--json")
    assert answer.code == 2
    assert "opsmon runs --json" in json.loads(answer.err)["hint"]


@pytest.mark.parametrize(
    ("argv", "wanted"),
    [
        (["demo"], (False, None)),
        (["demo", "--postgres"], (True, None)),
        (["--as", "dana", "demo"], (False, "dana")),
    ],
)
def test_the_demo_is_asked_for_as_it_was_given(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, argv: list[str], wanted: tuple[bool, str | None]
) -> None:
    monkeypatch.setattr("opsmon.cli.commands.screens._require_terminal", lambda _: None)
    given: list[tuple[bool, str | None]] = []

    def run(kind: bool, login: str | None) -> int:
        given.append((kind, login))
        return 7

    monkeypatch.setattr("opsmon.demo.demo.run", run)
    assert cli(*argv).code == 7
    assert given == [wanted]
