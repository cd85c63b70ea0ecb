"""The order inside the rooms: no module and no package imports, at any depth, what imports it.

All imports count, those in functions and those for the type checker, too: who reads has to follow them as well.
"""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import tomllib
import types
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("opsmon", "screens", "store", "tasks")


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))}


def imports(name: str) -> Iterator[str]:
    """The modules of ours that the module imports, each by its own name."""
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                if whole in MODULES or node.module in MODULES:
                    yield whole if whole in MODULES else node.module


@functools.cache
def arrows_of_modules() -> dict[str, set[str]]:
    """What each module imports. Not at import: reading them all takes longer than most tests, and every process collects."""
    return {name: set(imports(name)) - {name} for name in MODULES}


def circles(arrows: dict[str, set[str]]) -> list[list[str]]:
    """Every group of names that reach each other, by Tarjan's algorithm."""
    found: list[list[str]] = []
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in sorted(arrows.get(name, ())):
            if other not in index:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], index[other])
        if low[name] == index[name]:
            place = stack.index(name)
            group, stack[place:] = stack[place:], []
            if len(group) > 1:
                found.append(sorted(group))

    for name in sorted(arrows):
        if name not in index:
            visit(name)
    return found


def boxes(package: str) -> dict[str, set[str]]:
    """What the direct members of a package, modules and packages, import of each other."""
    arrows: dict[str, set[str]] = defaultdict(set)
    depth = package.count(".") + 2 if package else 1
    for name, others in arrows_of_modules().items():
        box = ".".join(name.split(".")[:depth])
        if not inside(name, package):
            continue
        arrows[box] |= {".".join(other.split(".")[:depth]) for other in others if inside(other, package)} - {box}
    return arrows


def inside(name: str, package: str) -> bool:
    return not package or name.startswith(f"{package}.")


def test_circles_are_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]
    assert circles({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_imports_in_functions_and_for_the_type_checker_are_found() -> None:
    assert "screens.run.screen" in arrows_of_modules()["screens.navigator"]
    assert "tasks.sdk.operation" in arrows_of_modules()["screens.shell"]


def test_no_modules_import_each_other() -> None:
    assert circles(arrows_of_modules()) == []


@pytest.mark.parametrize("package", ["", *sorted(name for name in MODULES if MODULES[name].name == "__init__.py")])
def test_no_members_of_a_package_import_each_other(package: str) -> None:
    assert circles(boxes(package)) == []


# ---- names that say what they are


def public(name: str) -> Iterator[tuple[str, bool]]:
    """The module's public names, itself included, and whether each has a docstring, of its own or inherited.

    What Textual calls by its name (handlers and actions, whose words are their bindings') needs none.
    """
    module = importlib.import_module(name)
    yield name, bool(module.__doc__)
    for key, thing in vars(module).items():
        if key.startswith("_") or getattr(thing, "__module__", None) != name or not callable(thing):
            continue
        yield f"{name}.{key}", bool(inspect.getdoc(thing))
        for method, function in vars(thing).items() if isinstance(thing, type) else ():
            if method.startswith(("_", "on_", "action_", "compose", "watch_")):
                continue
            if isinstance(function, property | types.FunctionType | classmethod | staticmethod):
                yield f"{name}.{key}.{method}", bool(inspect.getdoc(getattr(thing, method)))


@pytest.mark.parametrize("room", ROOMS)
def test_nine_in_ten_public_names_say_what_they_are(room: str) -> None:
    modules = [name for name in MODULES if name.startswith(room) and not name.endswith("__main__")]
    named = [found for name in modules for found in public(name)]
    silent = [name for name, is_documented in named if not is_documented]
    assert len(named) > 100
    assert len(silent) <= len(named) / 10, silent


# ---- the order that pyproject.toml says


def stairs() -> Iterator[tuple[str, dict[str, int]]]:
    """For each room that has a contract of layers: how high each of its members stands."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for contract in project["tool"]["importlinter"]["contracts"]:
        rooms = {layer.split(".")[0] for layer in contract.get("layers", ())}
        if contract["type"] == "layers" and len(rooms) == 1:
            levels = enumerate(reversed(contract["layers"]))
            yield rooms.pop(), {member.strip(): level for level, layer in levels for member in layer.split("|")}


def test_every_room_has_its_order() -> None:
    assert sorted(room for room, _ in stairs()) == sorted(ROOMS)


@pytest.mark.parametrize(("room", "height"), list(stairs()))
def test_every_member_of_a_room_stands_in_its_order_and_imports_what_is_below(
    room: str, height: dict[str, int]
) -> None:
    members = {".".join(name.split(".")[:2]) for name in MODULES if name.startswith(f"{room}.")}
    assert members == set(height)
    upward = [(box, other) for box, others in boxes(room).items() for other in others if height[other] >= height[box]]
    assert upward == []
