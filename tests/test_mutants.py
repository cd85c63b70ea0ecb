"""The catalogue of mutants fits the code as it is: every change can still be made, every test that must notice exists."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

from tests.mutants.catalogue import load

ROOT = Path(__file__).parents[1]
FEWEST = 34


def test_the_catalogue_is_no_smaller_than_it_was_and_each_name_is_given_once() -> None:
    names = [mutant.name for mutant in load()]
    assert len(names) >= FEWEST
    assert len(set(names)) == len(names)


def test_every_change_is_one_that_python_still_reads() -> None:
    for mutant in load():
        text = (ROOT / mutant.file).read_text(encoding="utf-8")
        assert text.count(mutant.old) == 1, f"{mutant.name}: its old text stands not once in {mutant.file}"
        assert mutant.new != mutant.old, mutant.name
        changed = ast.dump(ast.parse(mutant.applied_to(text), mutant.file))
        assert changed != ast.dump(ast.parse(text)), f"{mutant.name} changes nothing that is carried out"


@functools.cache
def functions_in(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_every_test_that_must_notice_is_there() -> None:
    for mutant in load():
        assert mutant.tests, mutant.name
        for test in mutant.tests:
            file, _, function = test.partition("[")[0].partition("::")
            assert function in functions_in(file), f"{mutant.name}: there is no {test}"
