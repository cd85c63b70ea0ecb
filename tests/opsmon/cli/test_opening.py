"""The words with which the screens are opened at a place."""

from __future__ import annotations

import pytest

from opsmon.cli import opening, parser
from store.errors import InputInvalid, NotFound
from tests.opsmon.conftest import Cli


@pytest.mark.parametrize(
    ("argv", "run", "terms"),
    [
        ([], None, []),
        (["17"], 17, []),
        (["--as", "ann", "17"], 17, []),
        (["outcome:failed"], None, ["outcome:failed"]),
        (["outcome:failed", "--as", "ann", "-since:2h", "words"], None, ["outcome:failed", "-since:2h", "words"]),
        (["!by:ann", "mine"], None, ["!by:ann", "mine"]),
        (["-by:ann", "-mine"], None, ["-by:ann", "-mine"]),
        (["outcome:failed", "-acked"], None, ["outcome:failed", "-acked"]),
        (["-acked", "outcome:failed"], None, ["-acked", "outcome:failed"]),
        (["-mine"], None, ["-mine"]),
    ],
)
def test_a_run_or_terms_open_the_screens_there(argv: list[str], run: int | None, terms: list[str]) -> None:
    arguments = parser.parse(argv)
    assert (arguments.run, arguments.command) == ("screens:screens", None)
    assert (arguments.open_run, arguments.open_terms) == (run, terms)
    assert arguments.as_login == ("ann" if "--as" in argv else None)


@pytest.mark.parametrize(
    "argv", [["runs", "outcome:failed"], ["show", "17"], ["--as", "17", "runs"], ["--json", "runs"]]
)
def test_a_command_opens_nothing(argv: list[str]) -> None:
    assert opening.split(argv) == (argv, None, [])
    assert (parser.parse(argv).open_run, parser.parse(argv).open_terms) == (None, [])


def test_a_run_is_opened_alone_and_can_be_one() -> None:
    with pytest.raises(InputInvalid, match="a run is opened alone"):
        parser.parse(["17", "outcome:failed"])
    with pytest.raises(NotFound, match="no run 0"):
        parser.parse(["0"])


@pytest.mark.parametrize(
    ("argv", "line"),
    [
        (["outcome:lost"], "'lost' is no outcome"),
        (["outcme:failed"], "outcme"),
        (["17", "--bogus"], "there is no argument '--bogus' here"),
        (["mine"], "there is no command 'opsmon mine'"),
        (["failed"], "there is no command 'opsmon failed'"),
    ],
)
def test_what_opens_nothing_is_refused_before_the_screens_start(cli: Cli, argv: list[str], line: str) -> None:
    answer = cli(*argv)
    assert answer.code == 2
    assert line in answer.line
    assert "terminal" not in answer.line
