"""One run's screen: what stands in its lines, and that a reader is never moved away from what they read."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from screens.actions import RunActions
from screens.monitor import Monitor
from screens.run import sections
from screens.run.parts import View
from screens.run.screen import RunScreen
from screens.runs import columns
from screens.text import explain, json_tree
from screens.text import format as fmt
from screens.text.safe import wrap
from screens.text.timeline import timeline
from screens.widgets.header_lines import Line as HeaderLine
from screens.widgets.line_view import Line, LineView, anchored
from screens.widgets.row_diff import Cell
from store.model.records import NO_TIME, Counts, Failure, LogLine, Outcome, Run, Status
from store.model.row_mapping import run_from_row
from store.people.audit import AuditEvent
from store.runs.detail import QueuePosition, RunDetail, TypicalDuration
from store.workers.pause import QueuePause
from tests.screens.conftest import (
    AT,
    HOSTILE,
    WORKER,
    FakeBackend,
    a_preview,
    a_run,
    ago,
    hostile_run,
    polls,
    running,
    toasts,
    until,
)
from tests.screens.test_pure import ANY_TEXT, DANGEROUS

QUEUED = a_run(995, Outcome.PENDING, Status.QUEUED)
RUNNING = a_run(994, Outcome.PENDING, Status.RUNNING, summary_counts=Counts(40, 12), started_at=ago(75))
LOG = tuple(LogLine(n, ago(70 - n), "info", f"line {n}") for n in range(60))


def view(
    width: int = 80, ascii_only: bool = False, opened: frozenset[json_tree.Path] = frozenset(), **changed: Any
) -> Any:
    return replace(View(AT, (WORKER,), opened, width, ascii_only), **changed)


def text_of(of: RunDetail, **changed: Any) -> str:
    return "\n".join(line.text for line in sections.lines(of, view(**changed)))


def about(run: Run, **beside: Any) -> RunDetail:
    return RunDetail(run, (), (run,), **beside)


# ---- why it waits, who has it, what is usual


@pytest.mark.parametrize(
    ("of", "workers", "words"),
    [
        (QueuePosition(pause=QueuePause("bob", "Bob", ago(60))), (WORKER,), "the queue was paused by Bob 1m00 ago"),
        (QueuePosition(), (), "no worker is alive: start one with 'opsmon worker'"),
        (QueuePosition(), (replace(WORKER, running=4),), "every slot of every worker is busy"),
        (QueuePosition(), (replace(WORKER, stuck_slots=3),), "every slot of every worker is busy"),
        (QueuePosition(2, 9.0, None), (WORKER,), "others are taken first"),
        (QueuePosition(others_ahead=True), (WORKER,), "others are taken first"),
        (QueuePosition(), (WORKER,), "a worker will take it in a moment"),
    ],
)
def test_a_queued_run_says_why_it_waits(of: QueuePosition, workers: Any, words: str) -> None:
    assert f"Why          {words}" in text_of(about(QUEUED, waiting=of), workers=workers)


def test_a_preview_says_for_whom_it_waits_and_nothing_of_the_queue() -> None:
    words = text_of(about(a_preview()), workers=())
    assert "it is previewed and waits for somebody to execute or discard it: restore 5" in " ".join(words.split())
    assert "… Preview" in words
    for name in ("Waits for", "Position", "Workers", "no worker is alive", "queued"):
        assert name not in words
    unknown = " ".join(text_of(about(a_preview(context=None))).split())
    assert "somebody to execute or discard it" in unknown
    assert ": restore" not in unknown


def test_a_restore_waits_for_a_worker_since_it_was_executed() -> None:
    """It may have been a preview for days."""
    old = ago(3 * 86_400)
    run = a_preview(held=False, created_at=old, updated_at=ago(50), initiator_name="Bob")
    assert "Waits for    50 s" in text_of(about(run, waiting=QueuePosition()))
    queued = replace(run, dispatched_at=ago(40), updated_at=ago(40))
    assert "Waits for    40 s" in text_of(about(queued, waiting=QueuePosition()))
    assert "Waits for    3d00h" in text_of(about(replace(queued, context={}), waiting=QueuePosition()))


def test_the_history_of_a_restore_is_that_of_a_preview_first() -> None:
    held = a_preview(initiator_name="Ann")
    assert [(one.what, one.message) for one in timeline(about(held))] == [
        ("created", "as the preview of restore 5, by Ann")
    ]
    executed = replace(held, held=False, initiator_name="Bob", dispatched_at=ago(5))
    assert [(one.what, one.message) for one in timeline(about(executed))] == [
        ("created", "as the preview of restore 5"),
        ("queued", "by Bob, waiting for a worker"),
    ]


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (a_preview(), "Run 996 is a preview: only its restore can be executed."),
        (a_preview(context=None), "Run 996 is a preview: only its restore can be executed."),
        (
            a_run(996, Outcome.FAILED, context={"restore_run_id": 5}),
            "Run 996 belongs to restore 5: 'opsmon restore show 5' says how to go on.",
        ),
    ],
)
async def test_the_run_of_a_restore_is_not_retried_by_a_key(run: Run, words: str) -> None:
    monitor = Monitor(FakeBackend((run,)).backend())
    async with running(monitor) as pilot:
        await until(pilot, lambda: monitor.snapshot and monitor.snapshot.runs, "the run")
        assert monitor.actions.why_no_retry(run) == words
        await pilot.press("r", "e")
        await until(pilot, lambda: len(toasts(monitor)) == 2, "both refusals")
        assert all(words in toast for toast in toasts(monitor))


def test_a_run_whose_message_is_not_queued_says_so() -> None:
    run = replace(QUEUED, dispatched_at=None)
    assert "its message is not in the queue yet" in text_of(about(run, waiting=QueuePosition()))


@pytest.mark.parametrize(
    ("of", "words"),
    [
        (QueuePosition(), "1st: nothing is ahead of it"),
        (QueuePosition(others_ahead=True), "1st of your tenants; others' are ahead, too"),
        (
            QueuePosition(1, 5.0, 17, None, True),
            "2nd: 1 is ahead; the oldest, run 17, was opened 5 s ago; others' are ahead, too",
        ),
        (QueuePosition(1, 5.0, 17), "2nd: 1 is ahead; the oldest, run 17, was opened 5 s ago"),
        (QueuePosition(11, 65.0), "12th: 11 are ahead; the oldest was opened 1m05 ago"),
        (QueuePosition(1001, 65.0), "more than 1,000 are ahead; the oldest was opened 1m05 ago"),
    ],
)
def test_the_position_is_exact_or_a_lower_bound_and_names_only_what_one_may_see(of: QueuePosition, words: str) -> None:
    assert f"Position {words}" in " ".join(text_of(about(QUEUED, waiting=of)).split())


def test_ordinals() -> None:
    told = [explain.ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 111, 122)]
    assert told == ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "111th", "122nd"]


def test_the_workers_clock() -> None:
    def clock(**changed: Any) -> str:
        told = explain.clock(about(RUNNING, worker=replace(WORKER, **changed), lost_after=30.0))
        assert told
        return told.words

    assert clock(beat_age=3.4) == "3 (host, pid 17), last beat 3 s ago, given up in 27 s"
    assert clock(beat_age=31.0) == "3 (host, pid 17), last beat 31 s ago: the run is about to be given up"
    assert "has stopped: the run is about to be given up" in clock(stopped_at=AT)
    for changed in ({"beat_age": 12.0}, {"beat_age": 31.0}, {"stopped_at": AT}):
        alone = explain.clock(about(RUNNING, worker=replace(WORKER, **changed)), is_rescued=False)
        assert alone
        assert "nobody is left to give the run up" in alone.words
    assert explain.clock(about(a_run(1), worker=WORKER)) is None, "it runs no more"
    assert explain.clock(about(RUNNING)) is None


def test_how_a_run_compares() -> None:
    usual = TypicalDuration(tuple(float(n) for n in range(1, 101)))

    def compared(run: Run) -> str:
        told = explain.usual(about(run, usual=usual), AT)
        assert told
        return told.words

    base = "50 s (p50), 1m35 (p95) of the last 100"
    ended = a_run(1)
    assert ended.started_at
    for took, words in ((96, "; this one was slower than 95 %"), (5.5, "; this one was quicker than 95 %")):
        done = replace(ended, completed_at=ended.started_at + dt.timedelta(seconds=took))
        assert compared(done) == base + words
    assert compared(RUNNING) == base + "; already slower than 74 %"
    assert compared(replace(RUNNING, started_at=ago(9))) == base, "it may yet become slow"
    assert compared(QUEUED) == base
    assert explain.usual(about(RUNNING), AT) is None


def test_spans() -> None:
    told = [fmt.span(s) for s in (-1, 0.9, 59, 60, 125, 3600, 4020, 86400, 273600)]
    assert told == ["0 s", "0 s", "59 s", "1m00", "2m05", "1h00", "1h07", "1d00h", "3d04h"]


# ---- attempts and what is related


def test_a_start_names_the_worker_where_it_is_known() -> None:
    for worker_id, words in ((3, "by worker 3"), (None, "by a worker")):
        told = {one.what: one.message for one in timeline(about(a_run(1, worker_id=worker_id)))}
        assert told["started"] == words


def test_what_people_did_about_a_run_stands_behind_its_end() -> None:
    def event(id_: int, action: str, detail: Any = None, reason: str | None = None) -> AuditEvent:
        return AuditEvent(id_, AT, "ann", "Ann", "ann@host", "contoso", action, "run 1", 1, detail, reason)

    events = (
        event(1, "run.started", {"type": "x"}),
        event(2, "run.acknowledged", reason="disk was full"),
        event(3, "run.retried", {"run": 18}),
        event(4, "run.retried", "no object"),
        event(5, "run.unacknowledged"),
        event(6, "restore.executed"),
    )
    run = a_run(1, Outcome.FAILED)
    found = [(one.what, one.message) for one in timeline(about(run, audit=events))]
    behind = found.index(("completed", "failed")) + 1
    assert found[behind:] == [
        ("audit", "acknowledged by Ann: disk was full"),
        ("audit", "retried by Ann as run 18"),
        ("audit", "retried by Ann as run ?"),
        ("audit", "acknowledgement taken back by Ann"),
    ]
    assert "retried by Ann as run 18" in text_of(about(run, audit=events))


def test_attempts_show_what_was_changed_from_the_one_before() -> None:
    first = a_run(1, Outcome.FAILED, context={"parameters": {"kinds": None, "force": False, "same": [1]}})
    second = a_run(2, retry_of_id=1, context={"parameters": {"kinds": ["settings"], "force": True, "same": [1]}})
    assert sections.differences(first, second, True) == ["force: false -> true", "kinds: not set -> settings"]
    text = text_of(RunDetail(second, (), (first, second)))
    assert "kinds: not set → settings" in text
    assert "same: " not in text.partition("Attempts")[2]


def test_related_records_are_named_and_runs_can_be_opened() -> None:
    run = a_run(5, retry_of_id=4, context={"restore_run_id": 17, "parameters": {"backup_set_id": "b-1", "ids": [1]}})
    again, twin = a_run(6, retry_of_id=5), a_run(7, Outcome.PENDING, Status.QUEUED)
    found = list(sections.related(RunDetail(run, (), (a_run(4), run, again), worker=WORKER, twin=twin)))
    assert [(told.name, told.words, target) for told, target in found] == [
        ("Retries", "run 4", 4),
        ("Retried by", "Ann Alba: run 6, succeeded", 6),
        ("Active twin", "run 7, queued: a retry joins it", 7),
        ("Worker", "3 (host, pid 17)", None),
        ("Record", "restore_run_id 17", None),
        ("Record", "backup_set_id b-1", None),
    ]


# ---- hostile text, and every width


@pytest.mark.parametrize("ascii_only", [False, True])
@given(width=st.integers(40, 160), words=ANY_TEXT)
def test_no_line_is_wider_than_the_view_nor_has_anything_that_a_terminal_obeys(
    ascii_only: bool, width: int, words: str
) -> None:
    of = RunDetail(
        replace(
            hostile_run(), label=words, initiator_name=words, failure_summary=(Failure(words[:20], words * 3, 4),),
            context={words: {words: [words, {words: words * 9}]}, "parameters": {"x_id": words}},
        ),
        (LogLine(1, ago(5), "error", words * 2),), (a_run(998), replace(a_run(999), initiator_name=words)),
        usual=TypicalDuration((1.0,) * 3),
    )  # fmt: skip
    opened = frozenset(path for path, _ in json_tree.foldable(of.run.context))
    for line in sections.lines(of, view(width, ascii_only, opened)):
        assert cell_len(line.text) <= width, line
        assert not {unicodedata.category(char) for char in line.text} & DANGEROUS


def test_ascii_is_ascii() -> None:
    of = RunDetail(RUNNING, LOG[:3], (a_run(1), RUNNING), worker=WORKER, usual=TypicalDuration((1.0, 2.0, 3.0)))
    opened = frozenset(path for path, _ in json_tree.foldable(RUNNING.context or {}))
    assert text_of(of, ascii_only=True, opened=opened).isascii()
    assert text_of(about(QUEUED, waiting=QueuePosition(1001, 3.0)), ascii_only=True, workers=()).isascii()


@given(ANY_TEXT, st.integers(10, 60))
def test_wrapped_text_is_whole_and_fits(text: str, width: int) -> None:
    parts = wrap(text, width)
    assert all(cell_len(part) <= width for part in parts)
    joined = "".join(parts).replace(" ", "")
    assert len(joined) == len([char for char in text if char not in " \t\n\r"])


@given(ANY_TEXT)
def test_keys_are_unique(words: str) -> None:
    of = RunDetail(hostile_run(), LOG, (a_run(1), replace(hostile_run(), retry_of_id=1)), worker=WORKER)
    keys = [line.key for line in sections.lines(of, view())]
    assert len(set(keys)) == len(keys)


# ---- the tree

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=12), inner, max_size=5),
    max_leaves=25,
)


@given(st.dictionaries(st.text(max_size=12), JSON, max_size=5), st.integers(30, 120), st.booleans())
def test_a_tree_can_be_unfolded_and_folded_whole(root: dict[str, Any], width: int, ascii_only: bool) -> None:
    folded = json_tree.lines(root, frozenset(), width, ascii_only)
    assert len(folded) == len(root)
    everything = frozenset(path for path, _ in json_tree.foldable(root))
    unfolded = json_tree.lines(root, everything, width, ascii_only)
    assert all(line.is_open for line in unfolded if line.foldable)
    assert all(cell_len(line.text) <= width for line in (*folded, *unfolded))
    for line in folded:
        if line.foldable:
            more = json_tree.lines(root, frozenset({line.path}), width, ascii_only)
            assert len(more) > len(folded)


def test_a_long_value_is_cut_and_shown_whole_when_it_is_unfolded() -> None:
    value = " ".join(f"word{n}" for n in range(60))
    (cut,) = json_tree.lines({"note": value}, frozenset(), 60, False)
    assert cut.foldable
    assert cut.text.endswith("…")
    head, *rest = json_tree.lines({"note": value}, frozenset({("note",)}), 60, False)
    assert "characters" in head.value
    assert "".join(line.value for line in rest) == value


def test_a_large_list_is_cut_and_counted() -> None:
    lines = json_tree.lines({"ids": list(range(1_000_000))}, frozenset({("ids",)}), 60, True)
    assert len(lines) == json_tree.MOST_CHILDREN + 2
    assert lines[-1].value == "and 999,800 more"


def test_text_that_looks_like_something_else_has_quotes() -> None:
    told = [json_tree.scalar(value) for value in (None, "null", True, "true", 1, "1", "", "plain", "0f3c")]
    assert told == ["null", '"null"', "true", '"true"', "1", '"1"', '""', "plain", "0f3c"]


# ---- the reader

KEYS = st.lists(st.integers(0, 20), unique=True, max_size=12)


def paper_lines(keys: list[int]) -> list[Line]:
    return [Line(key, (Cell(str(key)),)) for key in keys]


@given(KEYS, KEYS, st.integers(0, 11))
def test_the_line_at_the_top_stays_at_the_top(old: list[int], new: list[int], top: int) -> None:
    there = anchored(paper_lines(old), paper_lines(new), top)
    if top == 0:
        assert there == 0
    elif top < len(old) and old[top] in new:
        assert new[there] == old[top]


@asynccontextmanager
async def on_run(stage: FakeBackend, size: tuple[int, int] = (80, 24)) -> AsyncIterator[tuple[Monitor, Any, LineView]]:
    monitor = Monitor(stage.backend())
    async with running(monitor, size) as pilot:
        await until(pilot, lambda: monitor.snapshot, "the first snapshot")
        monitor.navigator.run(stage.runs[0].id)
        await until(pilot, lambda: isinstance(monitor.screen, RunScreen) and monitor.screen._detail, "the run")
        yield monitor, pilot, monitor.screen.query_one(LineView)


def glass(paper: LineView) -> list[str]:
    top = round(paper.scroll_y)
    return [line.text for line in paper.lines[top : top + paper.size.height]]


def header(monitor: Monitor) -> str:
    return monitor.screen.query_one("#header", HeaderLine).text


pytestmark = pytest.mark.anyio


async def test_who_is_at_the_end_of_the_timeline_follows_it() -> None:
    stage = FakeBackend((RUNNING,), events=LOG[:40])
    async with on_run(stage) as (monitor, pilot, paper):
        assert "following" not in header(monitor), "the timeline's end is not in view yet"
        await pilot.press("f")
        await until(pilot, lambda: "following" in header(monitor), "that it follows")
        assert glass(paper)[-1].endswith("line 39")
        stage.events = LOG
        await until(pilot, lambda: glass(paper)[-1].endswith("line 59"), "the newest line")
        stage.runs = (replace(RUNNING, status=Status.COMPLETED, outcome=Outcome.SUCCEEDED, completed_at=AT),)
        await until(pilot, lambda: glass(paper)[-1].endswith("succeeded"), "the end")
        await until(pilot, lambda: "following" not in header(monitor), "that there is nothing to follow")


async def test_a_short_timeline_that_is_in_view_is_followed_from_the_start() -> None:
    stage = FakeBackend((RUNNING,), events=LOG[:2])
    async with on_run(stage) as (monitor, pilot, paper):
        await until(pilot, lambda: "following" in header(monitor), "that it follows")
        stage.events = LOG
        await until(pilot, lambda: glass(paper)[-1].endswith("line 59"), "the newest line")


async def test_who_has_scrolled_up_is_never_moved() -> None:
    stage = FakeBackend((RUNNING,), events=LOG[:40])
    async with on_run(stage) as (monitor, pilot, paper):
        await pilot.press("f", "k", "k", "k")
        await until(pilot, lambda: "following" not in header(monitor), "that it does not")
        before = glass(paper)
        stage.events = LOG
        await until(pilot, lambda: "line 59" in paper.text, "the newest line")
        await polls(pilot, 3)
        assert glass(paper) == before


async def test_who_reads_below_the_timeline_is_not_moved_when_it_grows() -> None:
    context = {"parameters": {f"name{n:02}": n for n in range(40)}}
    stage = FakeBackend((replace(RUNNING, context=context),), events=LOG[:10])
    async with on_run(stage) as (_, pilot, paper):
        await pilot.press("z", "G")
        await until(pilot, lambda: "name39" in glass(paper)[-1], "the end")
        before = glass(paper)
        stage.events = LOG
        await until(pilot, lambda: "line 59" in paper.text, "the newest line")
        await polls(pilot, 3)
        assert glass(paper) == before


async def test_following_can_be_turned_off_where_one_is() -> None:
    stage = FakeBackend((RUNNING,), events=LOG[:40])
    async with on_run(stage) as (monitor, pilot, paper):
        await pilot.press("f")
        await until(pilot, lambda: "following" in header(monitor), "that it follows")
        await pilot.press("f")
        await until(pilot, lambda: "following" not in header(monitor), "that it does not")
        before = glass(paper)
        stage.events = LOG
        await until(pilot, lambda: "line 59" in paper.text, "the newest line")
        await polls(pilot, 3)
        assert glass(paper)[:-2] == before[:-2]


async def test_only_the_lines_that_tick_are_painted(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = FakeBackend((RUNNING,), events=LOG[:2], detail={"worker": WORKER})
    async with on_run(stage) as (_, pilot, paper):
        await polls(pilot, 2)
        painted: list[Any] = []
        monkeypatch.setattr(LineView, "refresh", lambda self, *a, **k: painted.append(a))
        monkeypatch.setattr(LineView, "refresh_lines", lambda self, y, *a: painted.append(y))
        await polls(pilot, 4)
        assert painted == [], "nothing has changed"
        stage.detail = {"worker": replace(WORKER, beat_age=4.0)}
        await until(pilot, lambda: painted, "the clock")
        await pilot.pause()
        (line,) = painted
        assert "last beat 4 s ago" in glass(paper)[line]


async def test_the_tree_is_folded_and_unfolded_with_keys() -> None:
    context = {"parameters": {"deep": {"deeper": {"secretly": "here"}}}}
    async with on_run(FakeBackend((replace(a_run(990), context=context),))) as (_, pilot, paper):
        assert "secretly: here" not in paper.text
        await pilot.press("z")
        await until(pilot, lambda: "secretly: here" in paper.text, "everything")
        await pilot.press("z")
        await until(pilot, lambda: "▸ parameters: 1 field: deep" in paper.text, "nothing")
        await pilot.press("tab", "enter")
        await until(pilot, lambda: "▸ deep: 1 field: deeper" in paper.text, "the first level")
        await pilot.press("tab", "space")
        await until(pilot, lambda: "▸ deeper: 1 field: secretly" in paper.text, "the second")
        await pilot.press("space")
        await until(pilot, lambda: "▸ deeper" not in paper.text, "no more")


async def test_attempts_are_opened_with_keys_and_screens_do_not_pile_up() -> None:
    runs = (a_run(991, retry_of_id=990), a_run(990, Outcome.FAILED))
    async with on_run(FakeBackend(runs)) as (monitor, pilot, _):

        def shows(run_id: int) -> bool:
            return isinstance(monitor.screen, RunScreen) and monitor.screen.run_id == run_id

        def is_read(run_id: int) -> bool:
            screen = monitor.screen
            return isinstance(screen, RunScreen) and screen.run_id == run_id and screen._detail is not None

        depth = len(monitor.screen_stack)
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: is_read(990), "the attempt before")
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: any("no attempt before" in toast for toast in toasts(monitor)), "the reason")
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: shows(991), "the attempt after")
        assert len(monitor.screen_stack) == depth
        await pilot.press("o")
        await until(pilot, lambda: is_read(990), "the original")
        await pilot.press("escape")
        await until(pilot, lambda: shows(991), "back")
        await pilot.press("tab", "tab", "enter")
        await until(pilot, lambda: shows(990), "the attempt under the cursor")


async def test_a_hostile_run_can_be_read_whole() -> None:
    stage = FakeBackend((hostile_run(),), events=(LogLine(1, ago(60), "error", HOSTILE),), detail={"worker": WORKER})
    async with on_run(stage, (60, 20)) as (monitor, pilot, paper):
        for key in ("z", "G", "tab", "enter", "ctrl+u", "g"):
            await pilot.press(key)
            await pilot.pause()
        assert monitor.is_running
        assert "\x1b" not in paper.text
        assert "[red]x[/]" in paper.text


async def test_a_retry_with_other_parameters_is_offered_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    edited: list[int] = []
    monkeypatch.setattr(RunActions, "edit_retry", lambda self, run: edited.append(run.id), raising=False)
    async with on_run(FakeBackend((a_run(990),))) as (_, pilot, _):
        await pilot.press("e")
        await until(pilot, lambda: edited == [990], "the form")
    async with on_run(FakeBackend((RUNNING,))) as (monitor, pilot, _):
        await pilot.press("e")
        await until(pilot, lambda: any("only a completed run" in toast for toast in toasts(monitor)), "the reason")
    assert edited == [990]


# ---- rows that another version has written


@pytest.mark.parametrize("width", [20, 80])
def test_a_run_that_is_no_run_of_ours_is_shown_as_far_as_it_can_be_read(width: int) -> None:
    row = {field.name: getattr(a_run(7), field.name) for field in fields(Run)}
    row |= {"created_at": NO_TIME, "started_at": NO_TIME, "completed_at": NO_TIME, "label": ""}
    for odd in ("text", [1], [{"code": 5}], {"total": "x"}, {"parameters": [1]}, 5):
        run = run_from_row({**row, "failure_summary": odd, "summary_counts": odd, "context": odd})
        events = (LogLine(1, NO_TIME, "loud", "said"),)
        shown = text_of(RunDetail(run, events, (run, run)), width=width)
        assert "unreadable" in shown
        assert "1970" not in shown
        rows = columns.rows((run,), AT, columns.layout(width), (), False)
        assert len(rows[0].cells) >= 3
