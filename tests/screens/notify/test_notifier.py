"""The terminal's title and its own notifications: what is sent, and what is not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pytest
from rich.cells import cell_len

from screens.notify import away, toasts
from screens.notify.notifier import Notifier
from screens.notify.toasts import Toast
from screens.terminal import osc
from screens.text.safe import clean
from store.model.records import OUTCOME_LABELS, Count, Notification, Outcome, Status
from store.runs.detail import QueuePosition
from store.search.tabs import TABS
from store.snapshot import Request, Snapshot
from store.workers.pause import QueuePause
from tests.screens.conftest import AT, HOSTILE, FakeBackend, a_run, ago, told


@dataclass
class Ear:
    """Hears what is told."""

    toasts: list[Toast] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    seen: list[dt.datetime] = field(default_factory=list)
    claimed: list[tuple[tuple[int, ...], Callable[[frozenset[int] | None], None]]] = field(default_factory=list)

    def toast(self, toast: Toast, seconds: float | None = None) -> None:
        self.toasts.append(toast)

    def to_terminal(self, sequence: str) -> None:
        self.sent.append(sequence)

    def claim(self, run_ids: Sequence[int], then: Callable[[frozenset[int] | None], None]) -> None:
        self.claimed.append((tuple(run_ids), then))

    def mark_seen(self, at: dt.datetime) -> None:
        self.seen.append(at)


def snapshot(stage: FakeBackend) -> Snapshot:
    return stage.fetch(Request(1, limit=50))


def test_the_title_says_what_is_active_and_failed_and_is_sent_when_it_changes() -> None:
    ear = Ear()
    teller = Notifier(ear, None, {})
    stage = FakeBackend((a_run(3, Outcome.PENDING, Status.RUNNING), a_run(2, Outcome.FAILED), a_run(1)))
    for _ in range(3):
        teller.show(snapshot(stage))
    assert ear.sent == [osc.PUSH_TITLE + "\x1b]2;opsmon: 1 active, 1 failed\x07"]
    teller.show(replace(snapshot(stage), counts=dict.fromkeys(TABS, Count(1000, True))))
    assert ear.sent[1:] == ["\x1b]2;opsmon: 1000+ active, 1000+ failed\x07"]
    teller.close()
    teller.close()
    assert ear.sent[2:] == [osc.POP_TITLE]


@pytest.mark.parametrize(("kind", "sequence"), [("bell", "\x07"), ("osc9", "\x1b]9;"), ("osc777", "\x1b]777;notify;")])
def test_the_terminal_is_asked_to_tell_what_ended_and_only_what_is_new(kind: osc.Kind, sequence: str) -> None:
    ear, stage = Ear(), FakeBackend((a_run(990),), inbox=(told(1, 989),))
    teller = Notifier(ear, kind, {})
    teller.show(snapshot(stage))
    before = len(ear.sent)
    stage.inbox = (
        told(3, 990, title="Sync inventory failed", outcome=Outcome.FAILED, body=HOSTILE),
        told(2, 990, "queued"),
        *stage.inbox,
    )
    teller.show(snapshot(stage))
    teller.show(snapshot(stage))
    (sent,) = ear.sent[before:]
    assert sent.startswith(sequence)
    assert sent.count("\x1b") <= 1, "a hostile body ends nothing early"
    assert [toast.run_id for toast in ear.toasts] == [990], "what has ended is no longer told as queued"


def test_nothing_is_asked_of_the_terminal_unless_it_is_set() -> None:
    ear, stage = Ear(), FakeBackend((a_run(990),))
    teller = Notifier(ear, None, {})
    teller.show(snapshot(stage))
    stage.inbox = (told(1, 990),)
    teller.show(snapshot(stage))
    assert [sequence for sequence in ear.sent if "]2;" not in sequence] == []
    assert len(ear.toasts) == 1


def test_keys_note_that_one_was_there_but_not_each_of_them() -> None:
    ear, stage = Ear(), FakeBackend((a_run(990),))
    teller = Notifier(ear, None, {})
    teller.key()
    assert ear.seen == []
    first = snapshot(stage)
    teller.show(first)
    for seconds in (0, 1, 14, 16, 17):
        teller.show(replace(first, at=first.at + dt.timedelta(seconds=seconds)))
        teller.key()
    assert [(at - first.at).total_seconds() for at in ear.seen] == [0, 16]


def test_what_ended_in_this_session_was_not_missed_by_an_earlier_one() -> None:
    ear, stage = Ear(), FakeBackend((a_run(990),))
    teller = Notifier(ear, None, {})
    first = snapshot(stage)
    teller.show(first)
    stage.inbox = (told(5, 990, created_at=first.at + dt.timedelta(seconds=3)),)
    teller.show(snapshot(stage))
    teller.was_seen(first.at - dt.timedelta(hours=1))
    assert [toast.title for toast in ear.toasts] == ["Sync inventory succeeded"]


@pytest.mark.parametrize("outcome", [Outcome.SUCCEEDED, Outcome.PARTIALLY_SUCCEEDED, Outcome.FAILED])
@pytest.mark.parametrize("title", ["Undo what failed succeeded", "Sync that succeeded failed", "boom"])
def test_what_a_toast_says_of_the_outcome_is_never_read_out_of_a_title(title: str, outcome: Outcome) -> None:
    ended = told(1, 990, title=title, outcome=outcome)
    went_well = outcome is Outcome.SUCCEEDED
    assert toasts.of_notification(ended).severity == ("information" if went_well else "warning")
    assert ("did not succeed" in toasts.of_many([ended]).text) == (not went_well)
    missed = away.summary([ended], ended.created_at - dt.timedelta(seconds=1), ended.created_at)
    assert missed
    assert f"1 {OUTCOME_LABELS[outcome].lower()}." in missed.text


# ---- one toast a run, true at the instant


def _queued(run_id: int) -> Notification:
    return told(7, run_id, "queued")


WAITING = a_run(995, Outcome.PENDING, Status.QUEUED)


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        (FakeBackend((WAITING,)), "Sync inventory queued|contoso: waits for a worker."),
        (FakeBackend((WAITING,), workers=()), "Sync inventory queued|contoso: waits, no worker is alive."),
        (
            FakeBackend((WAITING,), paused=QueuePause("bob", "Bob", AT)),
            "Sync inventory queued|contoso: waits, the queue is paused.",
        ),
        (
            FakeBackend((WAITING,), detail={"waiting": QueuePosition(3, 9.0, 981)}),
            "Sync inventory queued|contoso: waits, 3 ahead.",
        ),
        (
            FakeBackend((WAITING,), detail={"waiting": QueuePosition(3, 9.0, 981, others_ahead=True)}),
            "Sync inventory queued|contoso: waits for a worker.",
        ),
        (
            FakeBackend((a_run(995, Outcome.PENDING, Status.RUNNING),)),
            "Sync inventory runs|contoso: a worker has it.",
        ),
        (FakeBackend((a_run(995),)), None),
        (FakeBackend(), "Sync inventory queued|contoso: 40 of 40 done."),
    ],
)
def test_what_is_told_of_the_queue_is_true(stage: FakeBackend, words: str | None) -> None:
    toast = toasts.as_it_stands(_queued(995), stage.fetch(Request(1, limit=50, run_id=995)))
    assert (toast and f"{toast.title}|{toast.text.partition(chr(10))[0]}") == words


@pytest.mark.parametrize("width", [20, 80, 140])
@pytest.mark.parametrize("words", ["short.", "a long failure " * 20, HOSTILE * 3])
def test_a_toast_has_one_line_and_its_key(words: str, width: int) -> None:
    line = toasts.in_one_line(Toast(f"{words}\nv: view run 5", "Probe failed"), width)
    assert "\n" not in line
    assert line.endswith("  v: view run 5")
    assert cell_len(clean(line)) <= max(toasts.WIDTH, 10)


# ---- the ends of watched runs


def _ended(run_id: int, seconds: float, outcome: Outcome = Outcome.FAILED) -> Notification:
    return replace(told(-run_id, run_id), created_at=ago(seconds), outcome=outcome, title=f"Probe {outcome}")


def test_an_end_is_told_only_if_no_other_session_has() -> None:
    ear, stage = Ear(), FakeBackend()
    teller = Notifier(ear, "bell", {})
    teller.show(snapshot(stage))
    stage.ended_watches = (_ended(6, -2), _ended(5, -1))
    teller.show(snapshot(stage))
    teller.show(snapshot(stage))
    ((asked, then),) = ear.claimed
    assert asked == (6, 5)
    assert not ear.toasts
    then(frozenset({5}))
    assert [toast.run_id for toast in ear.toasts] == [5]
    assert ear.sent.count("\x07") == 1


def test_what_ended_before_the_session_is_one_toast() -> None:
    ear, stage = Ear(), FakeBackend(ended_watches=(_ended(6, 600), _ended(5, 700, Outcome.SUCCEEDED)))
    teller = Notifier(ear, "bell", {})
    teller.show(snapshot(stage))
    ear.claimed[0][1](frozenset({5, 6}))
    (toast,) = ear.toasts
    assert (toast.title, toast.run_id) == (away.TITLE, 6)
    assert toast.text.startswith("2 runs that you watch ended: 1 failed, 1 succeeded.")
    assert "\x07" not in ear.sent


def test_a_database_that_was_away_is_asked_again() -> None:
    ear, stage = Ear(), FakeBackend(ended_watches=(_ended(6, 600),))
    teller = Notifier(ear, None, {})
    teller.show(snapshot(stage))
    ear.claimed[0][1](None)
    teller.show(snapshot(stage))
    assert [asked for asked, _ in ear.claimed] == [(6,), (6,)]


def test_one_that_only_reads_is_not_asked() -> None:
    ear, stage = Ear(), FakeBackend(ended_watches=(_ended(6, 600),), only_reads=True)
    Notifier(ear, None, {}).show(snapshot(stage))
    assert not ear.claimed


def test_who_comes_back_is_told_of_watched_runs_too() -> None:
    now = [0.0]
    ear, stage = Ear(), FakeBackend()
    teller = Notifier(ear, None, {}, clock=lambda: now[0])
    teller.show(replace(snapshot(stage), at=ago(1000)))
    teller.key()
    stage.ended_watches = (_ended(6, 500),)
    teller.show(snapshot(stage))
    ear.claimed[0][1](frozenset({6}))
    stage.ended_watches = ()
    teller.show(snapshot(stage))
    now[0] = away.AWAY_AFTER
    teller.key()
    assert [toast.title for toast in ear.toasts] == ["Probe failed", away.TITLE]
    assert ear.toasts[1].text.startswith("1 run that you watch ended: 1 failed.")
