"""Operations: what the decorator makes of a function, and which of the installed ones are found."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from importlib.metadata import EntryPoint
from types import ModuleType

import pytest

from store.access import Right
from store.errors import InputInvalid
from tasks.parameters import Kind
from tasks.registry import GROUP, Operation, Registry, load_registry, operation


@operation("dns.flush", label="Flush DNS caches", identity=["zone"], timeout=60)
def flush(run: object, zone: str, dry_run: bool = True) -> None:
    """Flush the caches of a zone.

    Args:
        zone: which one
    """


@operation("dns.check", label="Check DNS")
def check(run: object, zone: str = "x", times: int = 1) -> None: ...


def test_a_function_is_an_operation_and_stays_a_function() -> None:
    found = Registry.of([flush]).get("dns.flush")
    assert (found.type, found.label, found.summary) == ("dns.flush", "Flush DNS caches", "Flush the caches of a zone.")
    assert (found.identity, found.timeout, found.right, found.function) == (("zone",), 60, Right.START, flush)
    assert [(p.name, p.kind, p.help) for p in found.parameters] == [
        ("zone", Kind.TEXT, "which one"),
        ("dry_run", Kind.BOOLEAN, ""),
    ]
    assert flush(None, "x") is None


def test_by_default_every_parameter_is_its_identity_and_the_label_its_summary() -> None:
    found = Registry.of([check]).get("dns.check")
    assert (found.identity, found.summary, found.timeout) == (("zone", "times"), "Check DNS", 3600)
    assert found.identity_inputs({"zone": "a", "times": 2}) == {"zone": "a", "times": 2}


def test_identity_leaves_out_what_does_not_belong_to_it() -> None:
    found = Registry.of([flush]).get("dns.flush")
    assert found.identity_inputs(found.check({"zone": "a", "dry_run": False})) == {"zone": "a"}
    assert found.identity_inputs(found.parse({"zone": "a"})) == {"zone": "a"}


def test_an_identity_of_what_is_no_parameter_is_refused_when_it_is_written() -> None:
    with pytest.raises(TypeError, match=r"'x\.y': identity names \['zoen'\]"):
        operation("x.y", label="X", identity=["zoen"])(flush)


def test_an_unknown_operation_is_named() -> None:
    with pytest.raises(InputInvalid, match=r"there is no operation 'dns\.nothing': 'opsmon operations' lists them"):
        Registry.of([flush]).get("dns.nothing")


def test_operations_come_by_type() -> None:
    assert [found.type for found in Registry.of([flush, check])] == ["dns.check", "dns.flush"]


# ---- what is installed


def test_the_built_in_operations_are_found() -> None:
    found = load_registry()
    assert found.problems == ()
    assert {"system.probe", "inventory.sync"} <= set(found.operations)
    for one in found:
        assert one.label
        assert one.summary
        assert set(one.identity) <= {parameter.name for parameter in one.parameters}


def module(name: str, **content: object) -> ModuleType:
    made = ModuleType(name)
    vars(made).update(content)
    return made


def installed(monkeypatch: pytest.MonkeyPatch, *entries: tuple[str, object]) -> None:
    """These are the entry points, in this order: (name, what they load, an exception being raised)."""

    class Entry(EntryPoint):
        def load(self) -> object:
            loaded = dict(entries)[self.name]
            if isinstance(loaded, BaseException):
                raise loaded
            return loaded

    found = [Entry(name, f"{name}:x" if name != "system" else "tasks.operations.probe", GROUP) for name, _ in entries]
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: found if group == GROUP else [])


def test_an_entry_point_may_be_a_function_or_a_module(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, ("one", flush), ("two", module("two", check=check, other=1, plain=print)))
    assert set(load_registry().operations) == {"dns.flush", "dns.check"}


def test_a_broken_plug_in_takes_nobody_down(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, ("broken", ImportError("no module named 'dns'")), ("good", flush))
    found = load_registry()
    assert set(found.operations) == {"dns.flush"}
    assert found.problems == ("plug-in 'broken' cannot be loaded: ImportError: no module named 'dns'",)


def test_no_plug_in_takes_a_built_in_operations_name(monkeypatch: pytest.MonkeyPatch) -> None:
    @operation("system.probe", label="Mine")
    def mine(run: object) -> None: ...

    @operation("system.probe", label="Probe")
    def built_in(run: object) -> None: ...

    installed(monkeypatch, ("aaa", mine), ("system", module("probe", probe=built_in)))
    found = load_registry()
    assert found.get("system.probe").function is built_in
    assert found.problems == ("plug-in 'aaa' brings 'system.probe' again: the first one counts",)


def test_the_same_function_found_twice_is_no_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, ("one", flush), ("two", module("two", imported_too=flush)))
    found = load_registry()
    assert (len(found.operations), found.problems) == (1, ())


def test_what_is_no_operation_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    class Pretends:
        def __getattr__(self, name: str) -> object:
            return "not an operation"

        def __call__(self) -> None: ...

    installed(monkeypatch, ("odd", module("odd", pretends=Pretends(), nothing=None)))
    assert load_registry() == Registry({})


def test_an_author_imports_from_opsmon_alone() -> None:
    code = "from opsmon import RunContext, operation; print(RunContext.__module__, operation.__module__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["tasks.context", "tasks.registry"]
    assert Operation.__dataclass_params__.frozen  # type: ignore[attr-defined]
