"""The laws of the house that the import linter cannot say."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("opsmon", "screens", "store", "tasks", "migrations")
MODULES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))

#: Formats that run code when they are read, and SQLAlchemy's object mapper (half a second, and laws 2 and 8).
NOWHERE = {"pickle", "shelve", "marshal", "dill", "cloudpickle", "sqlalchemy.orm"}
#: Ways to the network that share a package with harmless things such as urllib.parse.
ONLY_IN_GRAPH = {"urllib.request", "urllib.error", "http.client", "http.server", "ftplib", "smtplib"}


def imported(path: Path) -> Iterator[str]:
    """Every name the module imports, at any depth: `a.b` and `a.b.c` for `from a.b import c`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def offenders(names: set[str], outside: str = "") -> list[str]:
    found = []
    for path in MODULES:
        place = path.relative_to(ROOT).as_posix()
        if outside and place.startswith(outside):
            continue
        bad = {name for name in imported(path) if any(name == n or name.startswith(f"{n}.") for n in names)}
        found += [f"{place} imports {name}" for name in sorted(bad)]
    return found


def test_there_is_something_to_look_at() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in MODULES} == set(ROOMS)


def test_nobody_unpickles_and_nobody_maps_objects() -> None:
    assert offenders(NOWHERE) == []


def test_only_the_graph_package_reaches_for_the_network() -> None:
    assert offenders(ONLY_IN_GRAPH, outside="tasks/graph/") == []


def test_what_is_imported_is_a_declared_dependency() -> None:
    """So that an installation without the test extras runs."""
    requires = importlib.metadata.requires("opsmon") or []
    wanted = [line for line in requires if "extra ==" not in line or re.search(r"extra == .postgres", line)]
    declared = {re.split(r"[^\w.-]", line)[0].lower() for line in wanted}
    owners = importlib.metadata.packages_distributions()
    own = {*ROOMS, *sys.stdlib_module_names}
    packages = {name.split(".")[0] for path in MODULES for name in imported(path)} - own
    undeclared = {name for name in packages if not {owner.lower() for owner in owners.get(name, [name])} & declared}
    assert undeclared == set()


#: Imports every module in a fresh interpreter and tells what that set off. Alembic's files run by being imported, so
#: they are left out.
IMPORT_EVERYTHING = """
import gc, importlib, pkgutil, sys, threading
caught = []
watched = "sqlite3.connect socket.connect socket.bind subprocess.Popen os.fork _thread.start_new_thread".split()
sys.addaudithook(lambda event, args: caught.append(event) if event in watched else None)
for room in sys.argv[1:]:
    package = importlib.import_module(room)
    for module in pkgutil.walk_packages(package.__path__, room + "."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
kinds = {("sqlalchemy.engine.base", "Engine"), ("huey.api", "Huey"), ("huey.storage", "BaseStorage")}
for thing in gc.get_objects():
    try:
        lineage = type(thing).__mro__
    except Exception:
        continue
    caught += [type(thing).__name__ for c in lineage if (c.__module__, c.__name__) in kinds]
print(*caught, threading.active_count())
"""


@pytest.mark.worker
def test_importing_creates_nothing(tmp_path: Path) -> None:
    rooms = [room for room in ROOMS if room != "migrations"]
    command = [sys.executable, "-W", "error", "-c", IMPORT_EVERYTHING, *rooms]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["1"], "something was opened or started by an import"
    assert list(tmp_path.iterdir()) == [tmp_path / "home"]


@pytest.mark.worker
@pytest.mark.parametrize("module", ["opsmon", "tasks", "store"])
def test_the_packages_themselves_are_quick_to_import(module: str) -> None:
    """A plug-in that says `from opsmon import operation` must not pay for the screens, nor a worker for Alembic."""
    code = f"import sys, {module}; print(*({{'textual', 'alembic', 'msal'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == ""


def test_each_promise_names_tests_that_there_are() -> None:
    promised = re.findall(r"`([\w/]*test_\w+\.py)(?:::(test_\w+)(…?))?`", (ROOT / "docs/guarantees.md").read_text())
    assert len(promised) > 30
    for place, function, goes_on in promised:
        path = ROOT / place
        assert path.is_file(), f"there is no {place}"
        named = rf"def {function}\w*\(" if goes_on else rf"def {function}\("
        assert not function or re.search(named, path.read_text()), f"{place} has no {function}"
