"""The terminal's title and its own notifications: what is sent, and what is not."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace

import pytest

from screens.notify import away, toasts
from screens.notify.notifier import Notifier
from screens.notify.toasts import Toast
from screens.terminal import osc
from store.model.records import OUTCOME_LABELS, Count, Outcome, Status
from store.search.tabs import TABS
from store.snapshot import Request, Snapshot
from tests.screens.conftest import HOSTILE, FakeBackend, a_run, told


@dataclass
class Ear:
    """Hears what is told."""

    toasts: list[Toast] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    seen: list[dt.datetime] = field(default_factory=list)

    def toast(self, toast: Toast, seconds: float | None = None) -> None:
        self.toasts.append(toast)

    def to_terminal(self, sequence: str) -> None:
        self.sent.append(sequence)

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
    assert len(ear.toasts) == 2


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
