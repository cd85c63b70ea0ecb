"""The man page is made of the one grammar, by what `make man` does."""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsmon.cli import parser
from tests.support.waiting import HANG

ROOT = Path(__file__).parents[3]


def every(one: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield one
    for action in one._actions:
        if isinstance(action, argparse._SubParsersAction):
            for sub in action.choices.values():
                yield from every(sub)


def recipe() -> list[str]:
    """The arguments of argparse-manpage in the Makefile."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    found = re.search(r"^man:.*?argparse-manpage (.*?)\n\n", makefile, re.DOTALL | re.MULTILINE)
    assert found
    return shlex.split(found[1].replace("\\\n", " "))


@pytest.mark.worker
def test_the_man_page_has_every_command_and_every_option(tmp_path: Path) -> None:
    page = tmp_path / "opsmon.1"
    arguments = recipe()
    arguments[arguments.index("--output") + 1] = str(page)
    script = "import sys; from argparse_manpage.cli import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=HANG, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    text = page.read_text(encoding="utf-8").replace("\\-", "-")
    assert text.startswith(".TH OPSMON")
    for one in every(parser.make_parser()):
        assert one.prog in re.sub(r"\\f.|\\[,/]", "", text)
        for action in one._actions:
            assert all(
                name in text
                for name in action.option_strings
                if action.help not in (argparse.SUPPRESS, None) and action.dest != "help"
            )
    assert "--embedded" not in text
    assert "SUPPRESS" not in text
