"""The incident card: plain text that can be pasted anywhere, the clipboard, and a file that overwrites nothing."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screens.monitor import Monitor
from screens.run.incident_card_modal import IncidentCardModal
from screens.run.screen import RunScreen
from screens.text.incident_card import LAST, WIDTH, card, save
from store.model.records import Counts, Failure, LogLine, Outcome, Status
from store.runs.detail import QueuePosition, RunDetail, TypicalDuration
from tests.screens.conftest import (
    AT,
    HOSTILE,
    WORKER,
    FakeBackend,
    a_preview,
    a_run,
    ago,
    hostile_run,
    running,
    toasts,
    until,
)

FAILED = a_run(
    990, Outcome.PARTIALLY_SUCCEEDED, summary_counts=Counts(40, 30, 6, 4), retry_of_id=981,
    failure_summary=(Failure("graph.forbidden", "Microsoft Graph refused: scope tags in Kraków", 6),),
    context={"parameters": {"kinds": ["settings"], "dry_run": True}, "backup_set_id": 17},
)  # fmt: skip
LOG = tuple(LogLine(n, ago(70 - n), "warning" if n % 2 else "info", f"line {n}") for n in range(30))
ANY_TEXT = st.text(st.characters(codec=None), max_size=200)


def card_of(of: RunDetail) -> str:
    return card(of, AT, "sqlite opsmon.db", "ann")


def test_the_card_says_everything_that_a_ticket_wants() -> None:
    of = RunDetail(
        FAILED, LOG, (a_run(981, Outcome.FAILED), FAILED), worker=WORKER, usual=TypicalDuration((20.0, 30.0, 40.0))
    )
    assert card_of(of).splitlines() == [
        "Sync inventory in contoso: Partially succeeded",
        "==============================================",
        "Run:         990",
        "Type:        inventory.sync",
        "Tenant:      Contoso Ltd (contoso)",
        "State:       Partially succeeded",
        "Started by:  Ann Alba",
        "Created:     2026-03-01 11:50:00 UTC",
        "Started:     2026-03-01 11:50:02 UTC",
        "Completed:   2026-03-01 11:50:40 UTC",
        "Took:        38 s",
        "Items:       40 in all, 30 done, 6 failed, 4 skipped",
        "Retry of:    981",
        "Worker:      3 (host, pid 17)",
        "Usually:     30 s (p50), 39 s (p95) of the last 3; this one was slower",
        "             than 66 %",
        "",
        "Failures",
        "  6 x graph.forbidden: Microsoft Graph refused: scope tags in Krakow",
        "",
        "Parameters",
        "  dry_run = true",
        '  kinds = ["settings"]',
        "  backup_set_id = 17",
        "",
        "Log, last 20 lines",
        *(f"  11:59:{n - 10:02} {'warning: ' if n % 2 else ''}line {n}" for n in range(30 - LAST, 30)),
        "",
        "Attempts",
        "  981, 2026-03-01 11:41:00 UTC: Failed, by Ann Alba",
        "  990, 2026-03-01 11:50:00 UTC: Partially succeeded, by Ann Alba",
        "",
        "opsmon, 2026-03-01 12:00:00 UTC, by ann, from sqlite opsmon.db",
    ]  # fmt: skip


def test_the_card_of_a_preview_says_for_whom_it_waits() -> None:
    words = " ".join(card_of(RunDetail(a_preview(), (), ())).split())
    assert "State: Preview" in words
    assert "Waits Why: it is previewed and waits for somebody to execute or discard it: restore 5" in words
    assert "worker" not in words


@given(ANY_TEXT, ANY_TEXT, st.dictionaries(ANY_TEXT, ANY_TEXT, max_size=3))
def test_a_card_is_printable_ascii_of_a_bounded_width_and_deterministic(
    words: str, more: str, context: dict[str, str]
) -> None:
    run = replace(
        hostile_run(), label=words, initiator_name=more, type=words, tenant_name=more, context={**context, "parameters": context},
        failure_summary=(Failure(words, more, 3),),
    )  # fmt: skip
    of = RunDetail(run, (LogLine(1, AT, "error", words + more),), (a_run(1), run), worker=replace(WORKER, host=words))
    text = card(of, AT, words, more)
    assert text == card(of, AT, words, more)
    assert all(" " <= char <= "~" for char in text.replace("\n", ""))
    assert max(map(len, text.splitlines())) <= WIDTH
    assert all(line == line.rstrip() for line in text.splitlines())


def test_a_hostile_run_gives_a_harmless_card_of_a_bounded_length() -> None:
    context = {"parameters": {f"p{n}": HOSTILE * 500 for n in range(200)}}
    of = RunDetail(
        replace(hostile_run(), context=context), tuple(LogLine(n, AT, "error", HOSTILE * 30) for n in range(500)), ()
    )
    text = card_of(of)
    assert text.isascii()
    assert "\x1b" not in text
    assert len(text) < 80_000


def test_a_queued_run_says_where_it_waits() -> None:
    run = a_run(995, Outcome.PENDING, Status.QUEUED)
    text = card_of(RunDetail(run, (), (run,), waiting=QueuePosition(3, 65.0, 17)))
    assert "Position: 4th: 3 are ahead; the oldest, run 17, was opened 1m05 ago" in text


# ---- the file


def test_a_file_is_the_owners_alone_and_never_overwritten(tmp_path: Path) -> None:
    paths = [save(f"card {n}\n", 17, tmp_path) for n in range(3)]
    assert [path.name for path in paths] == ["opsmon-run-17.txt", "opsmon-run-17-2.txt", "opsmon-run-17-3.txt"]
    assert [path.read_text() for path in paths] == ["card 0\n", "card 1\n", "card 2\n"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}


def test_a_link_that_lies_there_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "opsmon-run-17.txt").symlink_to(tmp_path / "elsewhere")
    assert save("card\n", 17, tmp_path).name == "opsmon-run-17-2.txt"
    assert not (tmp_path / "elsewhere").exists()


def test_a_disk_that_is_full_leaves_no_half_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int, *_: object, **__: object) -> None:
        os.close(handle)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("screens.text.incident_card.os.fdopen", full)
    with pytest.raises(OSError, match="No space left"):
        save("card\n", 17, tmp_path)
    assert [path.name for path in tmp_path.iterdir() if path.name != "home"] == []


# ---- the screen

pytestmark = pytest.mark.anyio


async def open_card(pilot: Any, monitor: Monitor) -> IncidentCardModal:
    await until(pilot, lambda: monitor.snapshot, "the first snapshot")
    monitor.navigator.run(990)
    await until(pilot, lambda: isinstance(monitor.screen, RunScreen) and monitor.screen._detail, "the run")
    await pilot.press("c")
    await until(pilot, lambda: isinstance(monitor.screen, IncidentCardModal) and monitor.screen.text, "the card")
    assert isinstance(monitor.screen, IncidentCardModal)
    return monitor.screen


@pytest.mark.parametrize("key", ["y", "enter"])
async def test_the_card_goes_to_the_clipboard(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr(Monitor, "copy_to_clipboard", lambda self, text: sent.append(text))
    monitor = Monitor(FakeBackend((FAILED,), events=LOG).backend())
    async with running(monitor, (80, 24)) as pilot:
        text = (await open_card(pilot, monitor)).text
        await pilot.press(key)
        await until(pilot, lambda: isinstance(monitor.screen, RunScreen), "the run")
        assert sent == [text]
        assert any("sent to the terminal" in toast for toast in toasts(monitor))


async def test_a_card_that_is_too_long_for_the_clipboard_goes_to_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Monitor, "copy_to_clipboard", lambda self, text: False)
    monitor = Monitor(FakeBackend((FAILED,), events=LOG).backend())
    async with running(monitor, (80, 24)) as pilot:
        text = (await open_card(pilot, monitor)).text
        await pilot.press("y")
        await until(pilot, lambda: any("The card is in" in toast for toast in toasts(monitor)), "where it is")
        assert (tmp_path / "opsmon-run-990.txt").read_text() == text


async def test_the_card_is_written_to_a_file_and_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "opsmon-run-990.txt").write_text("mine")
    monitor = Monitor(FakeBackend((FAILED,)).backend())
    async with running(monitor, (80, 24)) as pilot:
        await open_card(pilot, monitor)
        await pilot.press("w")
        where = "opsmon-run-990-2.txt"
        await until(pilot, lambda: any(where in toast for toast in toasts(monitor)), "where it is")
        assert isinstance(monitor.screen, RunScreen)
    assert (tmp_path / "opsmon-run-990.txt").read_text() == "mine"
    assert "Run:         990" in (tmp_path / where).read_text()


async def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Path:
        raise PermissionError(13, "Permission denied", "\x1b[31mfolder")

    monkeypatch.setattr("screens.run.incident_card_modal.save", refuse)
    monitor = Monitor(FakeBackend((FAILED,)).backend())
    async with running(monitor, (80, 24)) as pilot:
        await open_card(pilot, monitor)
        await pilot.press("w")
        told = "The card was not written: Permission denied"
        await until(pilot, lambda: any(told in toast for toast in toasts(monitor)), "the reason")
