"""Operations: what the decorator makes of a function, and which of the installed ones are found."""

from __future__ import annotations

import importlib.metadata
import io
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from store.errors import InputInvalid
from store.people.access import Right
from tasks.sdk import registry
from tasks.sdk.operation import Operation, operation
from tasks.sdk.parameters import Kind
from tasks.sdk.registry import GROUP, MAX_PROBLEM, Registry, load_registry
from tests.support.plugged import plug_in
from tests.support.waiting import HANG


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


def test_who_may_start_it_is_said_by_the_name_of_a_role() -> None:
    assert operation("dns.wipe", label="Wipe", right="owner")(_nothing).__name__ == "_nothing"
    assert Registry.of([_nothing]).get("dns.wipe").right is Right.ADMINISTER
    for wrong in ("readonly", "admin", "", None, 2):
        with pytest.raises(TypeError, match=r"its right cannot be .*: give operator, manager, owner"):
            operation("dns.wipe", label="Wipe", right=wrong)(_nothing)  # type: ignore[arg-type]


def test_it_may_say_from_what_alone_it_is_started() -> None:
    assert Registry.of([flush]).get("dns.flush").only_from == ""
    assert Registry.of([flush]).get("dns.flush").why_no_start == ""
    Registry.of([flush]).get("dns.flush").check_start()
    operation("dns.wipe", label="Wipe", only_from="its restore")(_nothing)
    found = Registry.of([_nothing]).get("dns.wipe")
    assert found.only_from == "its restore"
    assert found.why_no_start == "'dns.wipe' is started from its restore alone"
    with pytest.raises(InputInvalid, match=r"'dns\.wipe' is started from its restore alone"):
        found.check_start()
    for wrong in (None, 5, "its\x1brestore"):
        with pytest.raises(TypeError, match=r"only_from cannot be"):
            operation("dns.wipe", label="Wipe", only_from=wrong)(_nothing)  # type: ignore[arg-type]


def _nothing(run: object) -> None: ...


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


class Odd(BaseException):
    def __str__(self) -> str:
        raise self


@pytest.mark.parametrize(
    ("how", "told"),
    [
        (SystemExit(0), "SystemExit: 0"),
        (SystemExit(), "SystemExit"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (Odd(), "Odd"),
        (ImportError("one\nline \x1b[31m of \0 it"), "ImportError: one line of it"),
        (RuntimeError("long " * 1000), "RuntimeError: long long"),
    ],
)
def test_whatever_an_import_raises_is_told_on_one_line(
    how: BaseException, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(monkeypatch, ("bad", how), ("good", flush))
    found = load_registry()
    assert set(found.operations) == {"dns.flush"}
    [problem] = found.problems
    assert problem.startswith(f"plug-in 'bad' cannot be loaded: {told}")
    assert len(problem) <= MAX_PROBLEM


def test_a_built_in_operation_is_imported_in_this_thread_and_interrupts_are_heard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    installed(monkeypatch, ("system", KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        load_registry()


def late_plug_in(monkeypatch: pytest.MonkeyPatch, wait: Callable[[], object]) -> None:
    class Late(EntryPoint):
        def load(self) -> object:
            return wait()

    class Quick(EntryPoint):
        def load(self) -> object:
            return flush

    monkeypatch.setattr(
        importlib.metadata, "entry_points", lambda group: [Late("late", "late:x", group), Quick("quick", "q:x", group)]
    )
    load = registry.operations_aside
    monkeypatch.setattr(
        registry, "operations_aside", lambda entry, _: load(entry, 0.01 if entry.name == "late" else HANG)
    )


def test_a_plug_in_that_waits_is_given_up_and_the_streams_are_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    streams, let_go = (sys.stdin, sys.stdout, sys.stderr), threading.Event()
    late_plug_in(monkeypatch, let_go.wait)
    try:
        found = load_registry()
        assert set(found.operations) == {"dns.flush"}
        assert found.problems == ("plug-in 'late' cannot be loaded: it has not ended after 0.01 s",)
        assert (sys.stdin, sys.stdout, sys.stderr) == streams
    finally:
        let_go.set()


def test_a_plug_in_that_was_given_up_works_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[threading.Thread] = []

    def spin() -> None:
        seen.append(threading.current_thread())
        while True:
            sys.stdout.write("still here\n")

    late_plug_in(monkeypatch, spin)
    load_registry()
    for thread in seen:
        thread.join(HANG)
        assert not thread.is_alive()


def test_what_it_prints_reads_and_replaces_is_not_ours(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    streams = sys.stdin, sys.stdout, sys.stderr

    class Loud(EntryPoint):
        def load(self) -> object:
            sys.stdout.write("printed")
            os.write(1, b"written")
            subprocess.run(["echo", "called"], check=True)
            assert sys.stdin.read() == ""
            sys.stderr.write("complaint")
            sys.stdin = sys.stdout = sys.stderr = io.StringIO()
            return flush

    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [Loud("loud", "loud:x", group)])
    found = load_registry()
    assert (set(found.operations), found.problems) == ({"dns.flush"}, ())
    assert (sys.stdin, sys.stdout, sys.stderr) == streams
    os.write(1, b"ours")
    assert capfd.readouterr() == ("ours", "complaint")


def test_a_plug_in_leaves_signals_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGTERM)

    class Deaf(EntryPoint):
        def load(self) -> object:
            return signal.signal(signal.SIGTERM, signal.SIG_IGN)

    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [Deaf("deaf", "deaf:x", group)])
    [problem] = load_registry().problems
    assert problem.startswith("plug-in 'deaf' cannot be loaded: ValueError: signal only works in main thread")
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize(
    ("source", "entry", "told"),
    [
        ("", "bad = opsmon_plug_in_nowhere", "ModuleNotFoundError: No module named 'opsmon_plug_in_nowhere'"),
        ("", "bad = opsmon_plug_in_bad:nothing", "AttributeError: "),
        ("def __getattr__(name): raise SystemExit(name)", "bad = opsmon_plug_in_bad:nothing", "SystemExit: nothing"),
        ("", "bad = one two three", "AttributeError: "),
        (
            "from opsmon import operation\n@operation('x.y', label='X')\ndef f(run, x: object) -> None: ...",
            None,
            "TypeError: parameter 'x': a form cannot hold <class 'object'>",
        ),
        ("this is no Python", None, "SyntaxError: "),
    ],
)
def test_a_package_that_is_broken_is_named(
    source: str, entry: str | None, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(plug_in(plug_in(tmp_path, "bad", source, entry), "good"))
    monkeypatch.delitem(sys.modules, "opsmon_plug_in_bad", raising=False)
    monkeypatch.delitem(sys.modules, "opsmon_plug_in_good", raising=False)
    found = load_registry()
    assert set(found.operations) == {
        "good.run",
        "system.probe",
        "inventory.sync",
        "policy.sync",
        "directory_groups.sync",
        "backup_set.create",
        "backup_set.add_policies",
        "drift.generate",
        "backup_schedule.run_now",
        "backup_schedule.retry",
        "restore.preview",
        "restore.execute",
    }
    [problem] = found.problems
    assert problem.startswith(f"plug-in 'bad' cannot be loaded: {told}")


def test_entry_points_that_cannot_be_read_take_nobody_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(plug_in(plug_in(tmp_path, "bad", entry="no assignment"), "good"))
    monkeypatch.delitem(sys.modules, "opsmon_plug_in_good", raising=False)
    found = load_registry()
    assert set(found.operations) == {
        "good.run",
        "system.probe",
        "inventory.sync",
        "policy.sync",
        "directory_groups.sync",
        "backup_set.create",
        "backup_set.add_policies",
        "drift.generate",
        "backup_schedule.run_now",
        "backup_schedule.retry",
        "restore.preview",
        "restore.execute",
    }
    [problem] = found.problems
    assert problem.startswith("the entry points of package 'opsmon-bad' cannot be read: ")


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


def test_what_raises_when_it_is_looked_at_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    class Proxy:
        """As for what is not there outside of a request."""

        def __getattr__(self, name: str) -> object:
            raise RuntimeError("not now")

        def __call__(self) -> None: ...

    class Liar:
        @property  # type: ignore[misc]
        def __class__(self) -> type:
            raise RuntimeError("not ever")

        def __call__(self) -> None: ...

    odd = module("odd", proxy=Proxy(), liar=Liar(), flush=flush)
    vars(odd)["__getattr__"] = lambda name: flush
    installed(monkeypatch, ("odd", odd), ("proxy", Proxy()))
    assert load_registry() == Registry(Registry.of([flush]).operations)


# ---- what operations are called


@pytest.mark.parametrize("type_", ["", "x\0y", "x\ny", "x.y ", "\x1b[31mx", "\ud800", None, ["x"]])
def test_a_type_that_cannot_be_shown_is_refused_when_it_is_written(type_: str) -> None:
    with pytest.raises(TypeError, match="an operation's type cannot be "):
        operation(type_, label="X")(flush)


def test_a_label_that_is_no_text_is_refused_when_it_is_written() -> None:
    label: Any = None
    with pytest.raises(TypeError, match=r"operation 'x\.y': its label is no text"):
        operation("x.y", label=label)(flush)


def test_labels_and_summaries_hold_what_can_be_seen() -> None:
    def work(run: object) -> None: ...

    work.__doc__ = "Do\0 it\x1b[2J at once.\n\nMore."
    operation("x.y", label="La\0bel\n \ud800of it")(work)
    found = Registry.of([work]).get("x.y")
    assert (found.label, found.summary) == ("Label of it", "Do it at once.")
    operation("x.y", label="\0")(work)
    assert Registry.of([work]).get("x.y").label == "x.y"


@pytest.mark.parametrize("default", ["a\0b", ("a", "\x1b")])
def test_a_default_that_nobody_could_give_is_refused_when_it_is_written(default: object) -> None:
    def work(run: object, x: tuple[str, ...] = default) -> None: ...  # type: ignore[assignment]

    with pytest.raises(TypeError, match="parameter 'x': its default holds control characters"):
        operation("x.y", label="X")(work)


def test_an_author_imports_from_opsmon_alone() -> None:
    code = "from opsmon import RunContext, operation; print(RunContext.__module__, operation.__module__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["tasks.sdk.context", "tasks.sdk.operation"]
    assert Operation.__dataclass_params__.frozen  # type: ignore[attr-defined]
