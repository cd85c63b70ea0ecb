"""Explains in words why a run waits, which worker has it, and how long its kind usually takes.

Used by screens, incident card and command line. Imports no Textual, so that a command that prints a run starts fast.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from screens.text import format as fmt
from store.model.records import COUNT_CAP, Run, Status, Worker
from store.runs.detail import QueuePosition, RunDetail


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact under its `name`, in `words`; `style` is a Rich style of the 16 ANSI colours, or ""."""

    name: str
    words: str
    style: str = ""


_ALARM = "warn"


# ---- queued


def why_it_waits(detail: RunDetail, workers: Sequence[Worker], now: dt.datetime) -> Iterator[Fact]:
    """The reason why a queued run waits, then the facts behind it. Nothing if the run is not queued.

    A preview waits for a person: nothing about the queue or its workers is a reason.
    """
    run, waiting = detail.run, detail.waiting or QueuePosition()
    if run.status is not Status.QUEUED:
        return
    if run.held:
        yield Fact("Why", why_held(run))
        return
    yield _reason(run, waiting, workers, now)
    yield Fact("Waits for", fmt.span((now - _waits_since(run)).total_seconds()))
    yield Fact("Position", _position(waiting))
    yield Fact("Workers", _slots(workers))


def why_held(run: Run) -> str:
    """What a held run waits for; `run` has its context."""
    which = "" if run.restore_id is None else f": restore {run.restore_id}"
    return f"it is previewed and waits for somebody to execute or discard it{which}"


def _waits_since(run: Run) -> dt.datetime:
    """When a queued run began to wait for a worker: a restore was a preview, maybe for days, until somebody released it."""
    return run.created_at if run.restore_id is None else run.dispatched_at or run.updated_at


def _reason(run: Run, waiting: QueuePosition, workers: Sequence[Worker], now: dt.datetime) -> Fact:
    if waiting.pause:
        pause = waiting.pause
        return Fact(
            "Why",
            f"the queue was paused by {pause.name} {fmt.span((now - pause.paused_at).total_seconds())} ago",
            _ALARM,
        )
    if not workers:
        return Fact("Why", "no worker is alive: start one with 'opsmon worker'", _ALARM)
    if run.dispatched_at is None:
        return Fact("Why", "its message is not in the queue yet")
    if not _has_free_slots(workers):
        return Fact("Why", "every slot of every worker is busy")
    return Fact(
        "Why",
        "others are taken first" if waiting.ahead or waiting.others_ahead else "a worker will take it in a moment",
    )


def _has_free_slots(workers: Sequence[Worker]) -> bool:
    return any(worker.slots > worker.stuck_slots + worker.running for worker in workers)


def _slots(workers: Sequence[Worker]) -> str:
    slots, stuck = sum(worker.slots for worker in workers), sum(worker.stuck_slots for worker in workers)
    # The number of free slots would reveal how busy other tenants are.
    words = f"{len(workers)} alive, {slots} slots, {'some' if _has_free_slots(workers) else 'none'} free"
    return f"{words}, {stuck} stuck" if stuck else words


def _position(waiting: QueuePosition) -> str:
    others = "; others' are ahead, too" if waiting.others_ahead else ""
    if not waiting.ahead:
        return f"1st of your tenants{others}" if others else "1st: nothing is ahead of it"
    ahead = f"more than {COUNT_CAP:,} are" if waiting.ahead > COUNT_CAP else f"{waiting.ahead} are"
    if waiting.ahead == 1:
        ahead = "1 is"
    which = f", run {waiting.oldest_id}," if waiting.oldest_id else ""
    oldest = f"; the oldest{which} was opened {fmt.span(waiting.oldest)} ago" if waiting.oldest is not None else ""
    place = "" if waiting.ahead > COUNT_CAP else f"{ordinal(waiting.ahead + 1)}: "
    return f"{place}{ahead} ahead{oldest}{others}"


def ordinal(number: int) -> str:
    """The number as an English ordinal: `1st`, `2nd`, `11th`."""
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


# ---- running


def name_of(worker: Worker) -> str:
    """The worker's id, host and process id."""
    return f"{worker.id} ({worker.host}, pid {worker.pid})"


#: What to do about a lost worker's run while no worker and no screen completes it.
NOBODY_RESCUES: Final = "nobody is left to give the run up: start a worker, or open the screens as a user who may write"


def state(run: Run, silence: float | None, worker: Worker | None = None) -> str:
    """The run's state, extended by how long its worker has been silent (`silence`, in seconds) or that it has stopped."""
    if silence is None or run.status is not Status.RUNNING:
        return fmt.label(run)
    has_stopped = worker is not None and worker.stopped_at is not None
    return f"{fmt.label(run)}, worker {'stopped' if has_stopped else f'silent for {fmt.span(silence)}'}"


def state_of(detail: RunDetail) -> str:
    """The run's state in words, with its worker's silence."""
    return state(detail.run, detail.silences.get(detail.run.id), detail.worker)


def clock(detail: RunDetail, is_rescued: bool = True) -> Fact | None:
    """The worker of a running run, and in how many seconds the run is given up as lost. None if the run is not running.

    `is_rescued`: another worker or an open screen is there to give it up.
    """
    run, worker = detail.run, detail.worker
    if run.status is not Status.RUNNING or worker is None:
        return None
    soon = "the run is about to be given up" if is_rescued else NOBODY_RESCUES
    if worker.stopped_at:
        return Fact("Worker", f"{name_of(worker)} has stopped: {soon}", "failed")
    beat = f"{name_of(worker)}, last beat {fmt.span(worker.beat_age)} ago"
    # From the whole seconds shown above, so that both numbers change together.
    left = detail.lost_after - int(worker.beat_age)
    if left <= 0:
        return Fact("Worker", f"{beat}: {soon}", "failed")
    given_up = f", given up in {fmt.span(left)}" if is_rescued else f": {NOBODY_RESCUES}"
    return Fact("Worker", beat + given_up, _ALARM if run.id in detail.silences else "")


# ---- usual


def usual(detail: RunDetail, now: dt.datetime) -> Fact | None:
    """How long successful runs of this operation take, and how this one compares. None if the sample is too small."""
    usual, took = detail.usual, fmt.elapsed(detail.run, now)
    if usual is None:
        return None
    words = f"{fmt.span(usual.p50)} (p50), {fmt.span(usual.p95)} (p95) of the last {usual.count}"
    if took is None:
        return Fact("Usually", words)
    slower, quicker = usual.shorter_than(took), usual.longer_than(took)
    if detail.run.status is Status.RUNNING:
        # A run still in progress may be called slow, but never quick.
        late = f"; already slower than {slower} %" if slower >= 50 else ""
        return Fact("Usually", words + late, _ALARM if slower >= 95 else "")
    compared = f"slower than {slower} %" if slower >= quicker else f"quicker than {quicker} %"
    return Fact("Usually", f"{words}; this one was {compared}" if slower or quicker else words)
