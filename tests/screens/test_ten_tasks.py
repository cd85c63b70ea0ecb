"""The ten things of docs/screens.md: each is typed with the keys that stand in its table, and done within its bound."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from screens.memory import Opening
from screens.monitor import Monitor
from screens.run.incident_card_modal import IncidentCardModal
from screens.run.screen import RunScreen
from screens.runs.screen import RunsScreen
from screens.start.form import FormScreen
from screens.start.picker import OperationPicker
from screens.workers.screen import WorkersScreen
from store.model.records import Failure, Outcome, Run, Tenant
from store.model.tables import run_watches
from store.people import access
from store.runs import lifecycle
from store.runs.seeding import SeedRun, seed_runs
from store.search import last_view
from tests.screens.conftest import FakeBackend, LiveHarness, a_run, polls, running, screen_lines, toasts, until
from tests.support import people

pytestmark = pytest.mark.anyio

DOCS = Path(__file__).parents[2] / "docs"
#: The keys that have a name in the table. Anything else there is typed letter by letter.
NAMED = {"enter": "enter", "tab": "tab", "esc": "escape"}
#: The most keys that each may take; a form takes what its parameters do.
MOST = {"a": 20, "b": 1, "c": 2, "d": 1, "e": 1, "f": 3, "g": 14, "h": 1, "i": 1, "j": 1}
HOUR = 3600.0
WHY = (Failure("graph.throttled", "Throttled for too long"),)


def rows_of_the_table() -> Iterator[tuple[str, list[str], int]]:
    """Letter, keys and their number, of each row of the table."""
    section = (DOCS / "screens.md").read_text(encoding="utf-8").split("\n## Ten things to do\n")[1].split("\n## ")[0]
    for letter, keys, number in re.findall(r"^\| ([a-z]) \| [^|]+ \| ([^|]+) \| (\d+) \|$", section, re.MULTILINE):
        words = re.findall(r"`([^`]+)`", keys)
        yield letter, [key for word in words for key in ([NAMED[word]] if word in NAMED else word)], int(number)


#: What the tests type, by the task's letter.
KEYS = {letter: keys for letter, keys, _ in rows_of_the_table()}


def test_each_of_the_ten_is_in_the_table_and_within_its_bound() -> None:
    counted = {letter: number for letter, _, number in rows_of_the_table()}
    assert counted == {letter: len(keys) for letter, keys in KEYS.items()}, "the table counts wrongly"
    assert list(counted) == list(MOST)
    assert {letter: number for letter, number in counted.items() if number > MOST[letter]} == {}


@asynccontextmanager
async def opened(
    house: LiveHarness | FakeBackend, opening: Opening | None = None
) -> AsyncIterator[tuple[Monitor, Any]]:
    """The screens of ann, with the list in view."""
    backend = house.backend("ann") if isinstance(house, LiveHarness) else house.backend()
    monitor = Monitor(backend, opening=opening or Opening(None))
    async with running(monitor, (120, 40)) as pilot:
        await until(pilot, lambda: monitor.snapshot and "live" in monitor.freshness, "the list")
        await polls(pilot)
        yield monitor, pilot


async def typed(pilot: Any, keys: list[str]) -> None:
    await pilot.press(*("slash" if key == "/" else key for key in keys))


def tenant(house: LiveHarness, slug: str) -> Tenant:
    return access.require_right(house.db, house.users["ann"], slug, access.Right.VIEW)


def every_run(house: LiveHarness) -> list[Run]:
    return [run for number in range(1, 30) if (run := lifecycle.get(house.db, number))]


def says(monitor: Monitor, words: str) -> bool:
    return any(words in line for line in screen_lines(monitor))


async def at(pilot: Any, run_id: int) -> None:
    """The list's cursor is on the run, and painted there."""
    await until(pilot, lambda: isinstance(pilot.app.screen, RunsScreen) and pilot.app.screen.painted_run, "the runs")
    assert pilot.app.screen.painted_run.id == run_id


def a_history(house: LiveHarness) -> None:
    """One failed inventory of fabrikam within six hours, and what differs from it in one respect."""
    contoso, fabrikam = tenant(house, "contoso").id, tenant(house, "fabrikam").id

    def ended(of: int, type_: str, hours: float, outcome: Outcome = Outcome.FAILED) -> SeedRun:
        return SeedRun(of, type_, outcome, hours * HOUR, failures=() if outcome is Outcome.SUCCEEDED else WHY)

    seed_runs(
        house.db,
        [
            ended(fabrikam, "inventory.sync", 7),
            ended(fabrikam, "inventory.sync", 5),
            ended(fabrikam, "inventory.sync", 4, Outcome.SUCCEEDED),
            ended(contoso, "inventory.sync", 3),
            ended(fabrikam, "system.probe", 2),
        ],
    )


async def test_a_a_failed_inventory_is_found_and_retried(house: LiveHarness) -> None:
    a_history(house)
    (wanted,) = [run.id for run in every_run(house)][1:2]
    async with opened(house) as (monitor, pilot):
        *finding, retry, yes = KEYS["a"]
        await typed(pilot, finding)
        await until(pilot, lambda: says(monitor, "1 of 4"), "the one that is meant")
        await at(pilot, wanted)
        await typed(pilot, [retry, yes])
        await until(pilot, lambda: len(every_run(house)) == 6, "the retry")
        await until(pilot, lambda: any("Sync inventory queued" in one for one in toasts(monitor)), "the toast")
    retried = every_run(house)[-1]
    assert (retried.retry_of_id, retried.type, retried.tenant) == (wanted, "inventory.sync", "fabrikam")


async def test_b_why_a_run_is_queued(house: LiveHarness) -> None:
    house.dispatcher.start(house.users["ann"], "contoso", "system.probe", {})
    async with opened(house) as (monitor, pilot):
        await at(pilot, 1)
        await typed(pilot, KEYS["b"])
        await until(pilot, lambda: says(monitor, "no worker"), "why it waits")
        assert isinstance(monitor.screen, RunScreen)


async def test_c_the_error_and_the_id() -> None:
    failed = a_run(990, Outcome.FAILED, failure_summary=WHY)
    async with opened(FakeBackend((failed,))) as (monitor, pilot):
        await at(pilot, 990)
        opening, copying = KEYS["c"]
        await typed(pilot, [opening])
        await until(pilot, lambda: says(monitor, "graph.throttled  Throttled for too long"), "the error")
        await typed(pilot, [copying])
        await until(pilot, lambda: monitor.clipboard == "990", "the id")
        assert any("990 sent to terminal" in one for one in toasts(monitor))


async def test_d_a_colleagues_run_is_watched_and_its_end_is_told(house: LiveHarness) -> None:
    run = people.start_run(house.db, tenant(house, "contoso"), house.users["ron"])
    async with opened(house) as (monitor, pilot):
        await at(pilot, run.id)
        await typed(pilot, KEYS["d"])
        await until(pilot, lambda: any("You watch run" in one for one in toasts(monitor)), "that it is watched")
        with house.db.read() as connection:
            watched = connection.execute(sa.select(run_watches.c.user_id, run_watches.c.run_id)).all()
        assert [tuple(row) for row in watched] == [(house.users["ann"].id, run.id)]
        people.end_run(house.db, run, people.FAILED)
        await until(pilot, lambda: any("Sync inventory failed" in one for one in toasts(monitor)), "the end")


async def test_e_who_retried_it(house: LiveHarness) -> None:
    bob = people.make_user(house.db, "bob", contoso=access.Role.OPERATOR)
    seed_runs(house.db, [SeedRun(tenant(house, "contoso").id, "system.probe", Outcome.FAILED, HOUR, failures=WHY)])
    async with opened(house) as (monitor, pilot):
        await at(pilot, 1)
        house.dispatcher.retry(bob, 1)
        await typed(pilot, KEYS["e"])
        await until(pilot, lambda: says(monitor, "retried by bob as run 2"), "who it was")


async def test_f_the_incident_card() -> None:
    failed = a_run(990, Outcome.FAILED, failure_summary=WHY)
    async with opened(FakeBackend((failed,))) as (monitor, pilot):
        await at(pilot, 990)
        opening, card, copying = KEYS["f"]
        await typed(pilot, [opening])
        await until(pilot, lambda: isinstance(monitor.screen, RunScreen) and says(monitor, "Throttled"), "the run")
        await typed(pilot, [card])
        await until(pilot, lambda: isinstance(monitor.screen, IncidentCardModal) and monitor.screen.text, "the card")
        await typed(pilot, [copying])
        await until(pilot, lambda: "Throttled for too long" in monitor.clipboard, "the copy")
        assert re.search(r"^Run: +990$", monitor.clipboard, re.MULTILINE)


async def test_g_a_start_with_parameters_and_a_wrong_value_at_its_field(house: LiveHarness) -> None:
    keys = KEYS["g"]
    async with opened(house) as (monitor, pilot):
        await typed(pilot, keys[:1])
        await until(
            pilot, lambda: isinstance(monitor.screen, OperationPicker) and monitor.screen._operations, "the operations"
        )
        await typed(pilot, keys[1:7])
        await until(pilot, lambda: isinstance(monitor.screen, FormScreen), "the form")
        form = monitor.screen
        assert isinstance(form, FormScreen)
        await typed(pilot, keys[7:11])
        await typed(pilot, [*"many", "enter"])
        lines = screen_lines(monitor)
        (field,) = [place for place, line in enumerate(lines) if re.match(r" items +many", line)]
        assert lines[field + 1].strip() == "cannot be 'many': give a whole number"
        await typed(pilot, keys[11:])
        await until(pilot, lambda: every_run(house), "the run")
    (run,) = every_run(house)
    assert (run.type, run.tenant, run.parameters["items"]) == ("system.probe", "fabrikam", 12)


async def test_h_the_workers(house: LiveHarness) -> None:
    people.make_worker(house.db)
    async with opened(house) as (monitor, pilot):
        await typed(pilot, KEYS["h"])
        await until(pilot, lambda: isinstance(monitor.screen, WorkersScreen) and says(monitor, "here"), "the worker")


async def test_i_a_filter_is_taken_back(house: LiveHarness) -> None:
    a_history(house)
    async with opened(house) as (monitor, pilot):
        await typed(pilot, ["/", *"tenant:contoso", "enter"])
        await until(pilot, lambda: says(monitor, "1 of 1"), "the filtered list")
        await typed(pilot, KEYS["i"])
        await until(pilot, lambda: says(monitor, "5 of 5"), "all runs")


async def test_j_what_one_left_comes_back(house: LiveHarness) -> None:
    a_history(house)
    ann = house.users["ann"]
    async with opened(house) as (monitor, pilot):
        await typed(pilot, ["5", "o", "/", *"type:inventory.sync", "enter"])
        await until(pilot, lambda: last_view.read(house.db, ann.id) == monitor.memory.last, "what is stored")
        await until(pilot, lambda: says(monitor, "3 of 5"), "the list")
        left = screen_lines(monitor)
        await typed(pilot, KEYS["j"])
        await until(pilot, lambda: monitor._exit, "the end")
    async with opened(house, Opening(last_view.read(house.db, ann.id))) as (monitor, pilot):
        await until(pilot, lambda: says(monitor, "3 of 5"), "the list")
        assert screen_lines(monitor)[:10] == left[:10]
