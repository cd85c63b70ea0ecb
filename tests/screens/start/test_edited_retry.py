"""The form of a retry with other parameters: filled with what the run had, changes told before they are started."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from textual.widgets import Button, Input, Static

from opsmon import RunContext, operation
from screens.monitor import Monitor
from screens.start.fields import changes
from screens.start.form import FormScreen
from screens.widgets.checkbox import Check, Checks
from store.model.records import Outcome, Run
from store.people import access, admin
from store.people.access import Role
from store.runs import lifecycle
from store.runs.seeding import SeedRun, seed_runs
from tasks.sdk.operation import Operation
from tasks.sdk.registry import Registry
from tests.screens.bulk.test_screen import failed, retries, watching
from tests.screens.conftest import HOSTILE, FakeBackend, LiveHarness, a_run, running, toasts, until
from tests.screens.pictures import Picture

pytestmark = pytest.mark.anyio


@operation("test.many", label="Many kinds")
def many(
    run: RunContext,
    text: str,
    number: int = 3,
    ratio: float = 0.5,
    dry_run: bool = True,
    mode: Literal["fast", "slow"] = "fast",
    kinds: tuple[Literal["a", "b"], ...] | None = None,
    names: tuple[str, ...] = (),
    note: str | None = None,
) -> None:
    """Take parameters of every kind."""


MANY: Operation = Registry.of([many]).get("test.many")
FULL = {
    "text": "x", "number": 7, "ratio": 0.25, "dry_run": False, "mode": "slow", "kinds": ["b"], "names": ["n", "m"], "note": "y",
}  # fmt: skip


def the_run(**parameters: Any) -> Run:
    return a_run(990, Outcome.FAILED, type="test.many", label="Many kinds", context={"parameters": parameters})


async def form(pilot: Any, monitor: Monitor, run: Run) -> FormScreen:
    await until(pilot, lambda: monitor.snapshot)
    made = FormScreen(MANY, retry_of=run)
    monitor.push_screen(made)
    await until(pilot, lambda: monitor.screen is made and "Changes" in told(made), "the form")
    return made


def told(screen: FormScreen, of: str = "changes") -> str:
    return "".join(str(found.visual) for found in screen.query(f"#{of}").results(Static))


#: What does not survive a line of text, or a check box, and yet is what the run had.
UNTOUCHED = [
    FULL,
    {**FULL, "text": "a\N{ZERO WIDTH JOINER}b  c "},
    {**FULL, "note": ""},
    {**FULL, "names": ["one, two", "three"]},
    {**FULL, "names": [" padded "], "kinds": []},
    {**FULL, "kinds": None, "note": None, "names": []},
    {**FULL, "ratio": 1e-07, "number": -3},
    {**FULL, "text": "[/foo] [red]x[/]"},
]


async def test_untouched_it_is_what_the_run_had_to_the_letter() -> None:
    monitor = Monitor(FakeBackend().backend())
    async with running(monitor, (80, 24)) as pilot:
        for parameters in UNTOUCHED:
            screen = await form(pilot, monitor, the_run(**parameters))
            assert screen._checked() == ("contoso", MANY.check(parameters)), parameters
            assert told(screen) == "Changes: nothing yet: the same parameters as before", parameters
            screen.dismiss()


async def test_what_is_changed_is_told_above_and_marked_at_its_field() -> None:
    monitor = Monitor(FakeBackend().backend())
    async with running(monitor, (120, 50)) as pilot:
        screen = await form(pilot, monitor, the_run(**FULL))
        text, dry_run, kinds = (screen._fields[name] for name in ("text", "dry_run", "kinds"))
        assert isinstance(text, Input)
        assert isinstance(dry_run, Check)
        assert isinstance(kinds, Checks)
        text.value, dry_run.value = "[red]y[/]", True
        kinds._checks["a"].value = True
        wanted = 'Changes: text: "x" to "[red]y[/]"  dry_run: false to true  kinds: ["b"] to ["a", "b"]'
        await until(pilot, lambda: told(screen) == wanted, wanted)
        marked = {name for name, title in screen._names.items() if str(title.visual).startswith("~ ")}
        assert marked == {"text", "dry_run", "kinds"}
        text.value = "x"
        await until(pilot, lambda: "text" not in told(screen))
        assert not str(screen._names["text"].visual).startswith("~ ")


#: What an operation no longer takes, or never took, and what is in the form instead.
OTHER_TIMES: list[tuple[dict[str, Any], str]] = [
    ({"text": "x", "old_name": 1}, "old_name: dropped"),
    ({"text": "x", "mode": "turbo"}, 'mode: "turbo" to "fast"'),
    ({"text": "x", "mode": ["fast"]}, 'mode: ["fast"] to "fast"'),
    ({"text": "x", "number": "seven"}, 'number: "seven" to 3'),
    ({"text": "x", "dry_run": "no"}, 'dry_run: "no" to true'),
    ({"text": "x", "kinds": 5}, "kinds: 5 to none"),
    ({"text": "x", "kinds": [{"a": 1}]}, 'kinds: [{"a": 1}] to none'),
    ({"text": "x", "kinds": ["a", "gone"]}, 'kinds: ["a", "gone"] to none'),
    ({"text": "x", "names": {"n": 1}}, 'names: {"n": 1} to []'),
    ({"text": "x"}, "nothing yet: the same parameters as before"),
]


async def test_what_the_operation_takes_no_longer_has_its_default_and_is_told() -> None:
    monitor = Monitor(FakeBackend().backend())
    async with running(monitor, (80, 24)) as pilot:
        for parameters, changed in OTHER_TIMES:
            screen = await form(pilot, monitor, the_run(**parameters))
            assert told(screen) == f"Changes: {changed}", parameters
            screen.dismiss()


async def test_a_run_without_what_is_required_now_says_so() -> None:
    monitor = Monitor(FakeBackend().backend())
    async with running(monitor, (80, 24)) as pilot:
        await until(pilot, lambda: monitor.snapshot)
        screen = FormScreen(MANY, retry_of=the_run(number=7))
        monitor.push_screen(screen)
        await until(pilot, lambda: isinstance(monitor.focused, Input))
        text = screen._fields["text"]
        assert isinstance(text, Input)
        text.value = "now"
        await until(pilot, lambda: told(screen) == 'Changes: text: not given to "now"')


def test_changes_are_by_name() -> None:
    assert changes({"a": 1, "b": None, "gone": 2}, {"a": 1, "b": "x", "new": [1]}) == {
        "b": 'b: none to "x"',
        "new": "new: not given to [1]",
        "gone": "gone: dropped",
    }


# ---- from the list to the queue


async def test_e_fills_the_form_and_enter_starts_a_linked_run(house: LiveHarness) -> None:
    (old,) = failed(house, 1)
    async with watching(house) as (monitor, pilot):
        await pilot.press("e")
        await until(pilot, lambda: isinstance(monitor.screen, FormScreen) and "Changes" in told(monitor.screen))
        screen = monitor.screen
        assert isinstance(screen, FormScreen)
        key = screen._fields["key"]
        assert isinstance(key, Input)
        key.focus()
        await pilot.press("end", "x")
        await until(pilot, lambda: 'key: "0-0" to "0-0x"' in told(screen))
        await pilot.press("enter")
        await until(pilot, lambda: old in retries(house))
        new = lifecycle.get(house.db, retries(house)[old])
        assert new
        assert new.parameters["key"] == "0-0x"
        was = lifecycle.get(house.db, old)
        assert was
        assert was.parameters["key"] == "0-0"


async def test_an_active_twin_is_joined(house: LiveHarness) -> None:
    first, second = failed(house, 2)
    twin = house.dispatcher.retry(house.users["ann"], first).run.id
    async with watching(house) as (monitor, pilot):
        run = lifecycle.get(house.db, second)
        assert run
        monitor.actions.edit_retry(run)
        await until(pilot, lambda: isinstance(monitor.screen, FormScreen) and "Changes" in told(monitor.screen))
        screen = monitor.screen
        assert isinstance(screen, FormScreen)
        key = screen._fields["key"]
        assert isinstance(key, Input)
        key.value = "0-0"
        await until(pilot, lambda: f"Run {twin} by ann is queued" in told(screen, "note"))
        screen.query_one(Button).press()
        await until(pilot, lambda: any("joined" in toast for toast in toasts(monitor)), "the receipt")
        assert retries(house) == {first: twin}


async def test_a_form_that_is_refused_by_then_starts_nothing(house: LiveHarness) -> None:
    """The right was there when the form was opened."""
    (old,) = failed(house, 1, "fabrikam")
    async with watching(house) as (monitor, pilot):
        await pilot.press("e")
        await until(pilot, lambda: isinstance(monitor.screen, FormScreen) and "Changes" in told(monitor.screen))
        admin.grant(house.db, "ann", "fabrikam", Role.READONLY)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: any("as readonly of fabrikam you may not" in toast for toast in toasts(monitor)))
        assert retries(house) == {}
        assert old


async def test_a_run_of_an_operation_that_is_gone_is_refused(house: LiveHarness) -> None:
    place = access.require_right(house.db, house.users["ann"], "contoso", access.Right.VIEW)
    seed_runs(house.db, [SeedRun(place.id, "test.gone", Outcome.FAILED, 60)])
    async with watching(house) as (monitor, pilot):
        await pilot.press("e")
        await until(pilot, lambda: any("there is no operation 'test.gone'" in toast for toast in toasts(monitor)))
        assert not isinstance(monitor.screen, FormScreen)


# ---- pictures


EDITED: dict[str, dict[str, Any]] = {
    "changed": {**FULL, "old_name": 1, "mode": "turbo"},
    "hostile": {**FULL, "note": HOSTILE, HOSTILE: HOSTILE},
}


@pytest.mark.parametrize("name", EDITED)
def test_picture_of_a_form(name: str, picture: Picture) -> None:
    async def before(pilot: Any, monitor: Monitor) -> None:
        screen = await form(pilot, monitor, the_run(**EDITED[name]))
        number = screen._fields["number"]
        assert isinstance(number, Input)
        number.value = "8"
        await until(pilot, lambda: "number: 7 to 8" in told(screen))

    assert picture(FakeBackend(), before=before, in_ascii=name == "changed")
