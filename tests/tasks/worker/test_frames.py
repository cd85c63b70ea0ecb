"""The frames of an exception in a run's log: what they say, what they never say, and their bounds."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from store.runs.log import MAX_FRAMES
from tasks.worker.frames import LONGEST, MOST, lines_of


def lines_after(function: Callable[[], object]) -> list[str]:
    try:
        function()
    except BaseException as error:
        return lines_of(error)
    raise AssertionError("it raised nothing")


def raising(file: str, name: str, error: str = "ValueError('a value')") -> Callable[[], object]:
    """A function of this name in a file of this name, which raises."""
    found: dict[str, Any] = {}
    exec(compile(f"def function():\n    raise {error}", file, "exec"), found)
    function: Callable[[], object] = found["function"]
    function.__code__ = function.__code__.replace(co_name=name)
    return function


def test_frames_say_file_line_and_function_and_neither_value_nor_source() -> None:
    secret = "Hunter2"

    def inner() -> None:
        raise ValueError(f"password {secret}")

    def outer() -> None:
        inner()

    head, *found = lines_after(outer)
    assert head == "ValueError, raised in"
    first = inner.__code__.co_firstlineno
    assert found[-1] == f"tests/tasks/worker/test_frames.py:{first + 1} inner"
    assert found[-2].endswith(" outer")
    assert secret not in str(found)
    assert "raise" not in str(found)


def test_causes_are_told_by_type_and_frames_and_a_circle_ends() -> None:
    def function() -> None:
        try:
            raise KeyError("key")
        except KeyError as error:
            raise ValueError("x") from error

    assert [line for line in lines_after(function) if "raised in" in line] == [
        "ValueError, raised in",
        "because of KeyError, raised in",
    ]

    def round_about() -> None:
        first, second = ValueError("a"), KeyError("b")
        first.__cause__, second.__cause__ = second, first
        raise first

    assert sum("raised in" in line for line in lines_after(round_about)) == 2

    def quiet() -> None:
        try:
            raise KeyError("key")
        except KeyError:
            raise ValueError("x") from None

    assert sum("raised in" in line for line in lines_after(quiet)) == 1


def test_a_cause_that_counts_as_false_is_told() -> None:
    class Empty(Exception):
        def __len__(self) -> int:
            return 0

    def function() -> None:
        raise ValueError("x") from Empty()

    assert any("because of Empty" in line for line in lines_after(function))

    def within() -> None:
        try:
            raise Empty
        except Empty:
            raise ValueError("x")  # noqa: B904

    assert any("because of Empty" in line for line in lines_after(within))


def test_the_members_of_a_group_are_told_and_a_group_of_many_has_an_end() -> None:
    def of_many() -> None:
        members: list[Exception] = []
        for function in (raising("/elsewhere/first.py", "first"), *[raising("/elsewhere/second.py", "second")] * 50):
            try:
                function()
            except ValueError as error:
                members.append(error)
        raise ExceptionGroup("secret words", members)

    found = lines_after(of_many)
    assert found[0] == "ExceptionGroup, raised in"
    heads = [line for line in found if line.endswith("raised in")]
    assert heads[1:] == ["one of its group: ValueError, raised in"] * 2
    assert "first.py:2 first" in found
    assert "secret" not in str(found)


def test_of_a_thousand_frames_the_outermost_and_innermost_are_kept() -> None:
    def deeper(left: int) -> None:
        if not left:
            raise ValueError("deep")
        deeper(left - 1)

    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(limit + 2_000)
    try:
        found = lines_after(lambda: deeper(1_000))
    finally:
        sys.setrecursionlimit(limit)
    assert len(found) == 1 + MOST
    assert found[4] == f"({1_002 - MOST + 1} frames are left out)"
    assert found[-1].endswith(f":{deeper.__code__.co_firstlineno + 2} deeper")


def test_endless_recursion_is_told() -> None:
    def forever() -> None:
        forever()

    found = lines_after(forever)
    assert found[0] == "RecursionError, raised in"
    assert len(found) <= MAX_FRAMES


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("/home/ann/secret-project/module.py", "module.py:2 f"),
        ("<string>", "<string>:2 f"),
        ("evil\x1b[2J\n.py", "evil .py:2 f"),
        ("/x/" + "a" * 9_000 + ".py", None),
        ("", ":2 f"),
    ],
)
def test_no_whole_path_and_no_control_character_is_kept(file: str, told: str | None) -> None:
    line = lines_after(raising(file, "f"))[-1]
    assert told is None or line == told
    assert len(line) <= LONGEST
    assert line.isprintable()


def test_a_path_is_told_from_its_package_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", ["", "/", "/home/ann", "/home/ann/env/site-packages"])
    assert lines_after(raising("/home/ann/env/site-packages/pack/core/run.py", "f"))[-1] == "pack/core/run.py:2 f"
    assert lines_after(raising("/opt/elsewhere/run.py", "f"))[-1] == "run.py:2 f"


def test_a_secret_in_a_name_is_not_kept() -> None:
    token = "ghp_" + "A1b2C3d4E5" * 4
    found = str(lines_after(raising("module.py", f"f {token}")) + lines_after(raising(f"{token}.py", "f")))
    assert token not in found
