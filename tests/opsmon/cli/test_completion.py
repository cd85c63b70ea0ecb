"""What a shell is offered is what the grammar takes."""

from __future__ import annotations

import argparse
import io
import os
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from argcomplete import io as _io
from argcomplete.finders import CompletionFinder

from opsmon.cli import completion, parser
from store.errors import DatabaseAway
from store.people import admin
from store.people.access import Role
from store.search import filter as run_filter
from tests.opsmon.conftest import Cli, CliHarness, on_both
from tests.support.waiting import HANG

Offered = Callable[[str], list[str]]
#: A value for each word of the grammar, where one has to stand before the word that is completed.
SAMPLES = {
    "SLUG": "contoso", "TYPE": "system.probe", "K=V": "a=b", "CRON": "0 3 * * *", "DATE": "2026-03-01", "A,B": "id",
    "FORM": "table", "GROUP=TARGET": "a=b", "pause|resume": "pause", "bash|zsh|fish": "bash", "FILTER": "mine",
    "COMMAND": "runs", "N": "3", "COUNT": "3", "SECONDS": "3",
}  # fmt: skip
NUMBERS = ("RUN", "SET", "SCHEDULE", "RESTORE", "FINDING", "ITEM")


def leaves(one: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    if one.get_default("run"):
        yield one
    for action in one._actions:
        if isinstance(action, argparse._SubParsersAction):
            for sub in action.choices.values():
                yield from leaves(sub)


COMMANDS = list(leaves(parser.make_parser()))


class Finder(CompletionFinder):
    """One that does not take file descriptor 9, which is somebody else's here."""

    def _init_debug_stream(self) -> None:
        _io.debug_stream = io.StringIO()


def ended(_: int) -> NoReturn:
    raise SystemExit


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> Offered:
    """What is offered at the end of a line, each word as the shell is given it."""

    def ask(line: str) -> list[str]:
        for name, value in (("_ARGCOMPLETE", "1"), ("COMP_LINE", line), ("COMP_POINT", str(len(line)))):
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("_ARGCOMPLETE_SHELL", "bash")
        monkeypatch.setenv("_ARGCOMPLETE_SUPPRESS_SPACE", "1")
        written = io.StringIO()
        with pytest.raises(SystemExit):
            completion.complete(written, ended, Finder())
        return [word for word in written.getvalue().split("") if word]

    return ask


def sample(action: argparse.Action) -> str:
    word = str(action.metavar or "")
    return str(next(iter(action.choices))) if action.choices else "1" if word in NUMBERS else SAMPLES.get(word, "x")


def options_of(command: argparse.ArgumentParser) -> list[argparse.Action]:
    skipped = (argparse.SUPPRESS,)
    return [one for one in command._actions if one.option_strings and one.dest != "help" and one.help not in skipped]


def words_of(command: argparse.ArgumentParser) -> list[argparse.Action]:
    """The positional arguments, but not the commands of a group."""
    groups = argparse._SubParsersAction
    return [one for one in command._actions if not one.option_strings and not isinstance(one, groups)]


def needed(command: argparse.ArgumentParser, besides: argparse.Action) -> list[str]:
    """The options without which the command is not taken, with their values; `besides` is given already."""
    wanted = [one for one in options_of(command) if one.required and one is not besides]
    groups = [one for one in command._mutually_exclusive_groups if one.required]
    wanted += [one._group_actions[0] for one in groups if besides not in one._group_actions]
    return [word for one in wanted for word in (one.option_strings[-1], *([] if one.nargs == 0 else [sample(one)]))]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.prog)
def test_every_word_that_is_offered_is_taken(
    town: CliHarness, opsmon: Cli, offered: Offered, command: argparse.ArgumentParser
) -> None:
    opsmon("start", "system.probe", "--tenant", "contoso")
    head = command.prog.split()[1:]
    words = words_of(command)
    for place, action in enumerate(words):
        before, behind = [sample(one) for one in words[:place]], [sample(one) for one in words[place + 1 :]]
        for offer in offered(shlex.join(["opsmon", *head, *before]) + " "):
            if action.metavar in ("FOLDER", "DIR"):
                continue
            parser.parse([*head, *before, *shlex.split(offer), *behind, *needed(command, action)])
    for action in options_of(command):
        if action.nargs == 0:
            continue
        for offer in offered(shlex.join(["opsmon", *head, action.option_strings[-1]]) + " "):
            given = [action.option_strings[-1], *shlex.split(offer)]
            parser.parse([*head, *map(sample, words), *needed(command, action), *given])


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.prog)
def test_every_option_that_is_offered_is_taken(
    town: CliHarness, opsmon: Cli, offered: Offered, command: argparse.ArgumentParser
) -> None:
    head = command.prog.split()[1:]
    there = {name: one for one in options_of(command) for name in one.option_strings}
    found = set(offered(shlex.join(["opsmon", *head]) + " --")) - {"--help"}
    assert found == {name for name in there if name.startswith("--")}
    for name in found:
        action = there[name]
        value = [] if action.nargs == 0 else [sample(action)]
        parser.parse([*head, *map(sample, words_of(command)), *needed(command, action), name, *value])


@on_both
def test_terms_of_the_filter_are_completed_to_filters(town: CliHarness, opsmon: Cli, offered: Offered) -> None:
    run = opsmon("start", "system.probe", "--tenant", "contoso", "--json").json["run"]["id"]
    names = offered("opsmon runs ")
    assert {f"{name}:" for name in run_filter.NAMES} | {"mine", "acked"} == set(names)
    for name in names:
        for term in offered(f"opsmon runs {name}") if name.endswith(":") else [name]:
            run_filter.parse(shlex.split(term))
    assert "tenant:contoso" in offered("opsmon runs tenant:")
    assert "tenant:fabrikam" not in offered("opsmon runs tenant:")
    assert offered("opsmon show ") == [str(run)]
    assert offered("opsmon retry ") == []
    audited = [term for name in offered("opsmon audit ") for term in offered(f"opsmon audit {name}") or [f"{name}x"]]
    assert {"tenant:contoso", f"run:{run}", "by:x"} <= set(audited)


@on_both
def test_tenants_operations_and_parameters(town: CliHarness, opsmon: Cli, offered: Offered) -> None:
    assert offered("opsmon members ") == ["contoso"]
    assert "system.probe" in offered("opsmon start sys")
    assert all(offer.endswith("=") for offer in offered("opsmon start inventory.sync --param "))
    assert offered("opsmon tenants add ") == []
    assert set(offered("opsmon users revoke ")) == {"ann", "rob", town.me}


def test_hostile_names_reach_the_shell_as_one_harmless_word(town: CliHarness, opsmon: Cli, offered: Offered) -> None:
    admin.add_user(town.db, "eve", "Eve\x1b]52;c;x\x07\u202e")
    admin.add_user(town.db, "mal", "Mal; rm -rf $(x) `y` & 'z'")
    for login in ("eve", "mal"):
        admin.grant(town.db, login, "contoso", Role.OPERATOR)
        run = opsmon("--as", login, "start", "system.probe", "--tenant", "contoso", "--json").json["run"]
        town.complete(run["id"])
    terms = offered("opsmon runs by:")
    assert all(term.isprintable() for term in terms)
    assert not any("52;c" in term for term in terms)
    assert ["by:Mal; rm -rf $(x) `y` & 'z'"] in [shlex.split(term) for term in terms]
    assert all(word.isprintable() for word in offered("opsmon users grant "))


# ---- nothing is offered, said or waited for


@pytest.mark.parametrize("error", [DatabaseAway(), RuntimeError("x"), SystemExit(3), KeyboardInterrupt()])
def test_what_cannot_be_read_is_not_offered(error: BaseException, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> dict[str, str]:
        raise error

    assert completion.within(HANG, fail) == {}
    assert capsys.readouterr() == ("", "")


def test_what_takes_too_long_is_left_behind() -> None:
    end = threading.Event()
    assert completion.within(0.01, lambda: {"late": str(end.wait(HANG))}) == {}
    end.set()


def ask_process(tmp_path: Path, line: str, **variables: str) -> tuple[str, subprocess.CompletedProcess[str]]:
    told = tmp_path / "told"
    variables |= {"_ARGCOMPLETE": "1", "_ARGCOMPLETE_STDOUT_FILENAME": str(told), "COMP_LINE": line}
    done = subprocess.run(
        [sys.executable, "-m", "opsmon"], env=os.environ | variables | {"COMP_POINT": str(len(line))},
        capture_output=True, text=True, timeout=HANG, check=False,
    )  # fmt: skip
    return told.read_text(encoding="utf-8"), done


@pytest.mark.worker
def test_a_process_answers_its_shell(tmp_path: Path, town: CliHarness, database_url: str) -> None:
    told, done = ask_process(tmp_path, "opsmon members con", OPSMON_DATABASE_URL=database_url)
    assert (told.strip(), done.returncode, done.stdout, done.stderr) == ("contoso", 0, "", "")


@pytest.mark.worker
@pytest.mark.parametrize("url", ["postgresql://x@127.0.0.1:1/none", "sqlite:////nowhere/x.db", "nonsense"])
def test_a_database_that_is_not_there_is_silence(tmp_path: Path, url: str) -> None:
    told, done = ask_process(tmp_path, "opsmon show ", OPSMON_DATABASE_URL=url)
    assert (told, done.stdout, done.stderr) == ("", "", "")
    assert "--card" in ask_process(tmp_path, "opsmon show 1 --c", OPSMON_DATABASE_URL=url)[0]


# ---- the code for the shells


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_code(cli: Cli, shell: str) -> None:
    answer = cli("completion", shell)
    assert (answer.code, answer.err) == (0, "")
    assert "_ARGCOMPLETE" in answer.out
    assert "opsmon" in answer.out
    assert cli("completion", shell, "--json").json == {"shell": shell, "code": answer.out.rstrip("\n")}
    assert cli("completion", "csh").code == 2


def test_bash_takes_its_code(cli: Cli) -> None:
    bash = shutil.which("bash")
    assert bash
    code = cli("completion", "bash").out
    done = subprocess.run(
        [bash, "--norc", "-c", code + "\ncomplete -p opsmon"], capture_output=True, text=True, check=True, timeout=HANG
    )
    assert done.stdout.endswith(" opsmon\n")
    assert done.stderr == ""
    assert "default" not in done.stdout
