"""What is lost is found by any number of rescuers, once; what lives is left alone, however long it takes."""

from __future__ import annotations

import datetime as dt
import signal
import threading
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.db.engine import Database
from store.intune import restores
from store.intune.restore_records import Restore, RestoreState, Scope
from store.model.records import Counts, Outcome, Run, Status, Tenant, User
from store.model.tables import restore_runs
from store.people import access
from store.runs import lifecycle, restoring
from store.runs.lifecycle import Result
from store.workers import heartbeats
from tasks.queue.queue import Queue
from tasks.sdk.context import GraphSettings, OperationResources
from tasks.worker.heartbeat import Heartbeat
from tasks.worker.rescuer import Rescuer, RescueTimeouts
from tasks.worker.worker import Worker, WorkerOptions
from tests.conftest import PrivatePostgres
from tests.support import people
from tests.support.properties import examples
from tests.support.restoring import backup, naming, previewed
from tests.support.waiting import HANG, wait_for
from tests.support.worker import WorkerProcess
from tests.tasks.backup_folder.bodies import item
from tests.tasks.conftest import MakeStage, WorkerHarness, assert_failed

PATIENT = RescueTimeouts(lost_after=30, never_queued_after=10, message_lost_after=60)


def rescuer(stage: WorkerHarness) -> Rescuer:
    return Rescuer(stage.db, stage.queue, PATIENT)


def running(stage: WorkerHarness, worker_id: int, success: int = 3, **parameters: Any) -> Run:
    """A run that a worker has claimed and counted something for."""
    run = stage.start("test.mark", name="lines", **parameters)
    assert lifecycle.claim(stage.db, run.id, worker_id)
    stored = lifecycle.progress(stage.db, run.id, worker_id, Result(Outcome.PENDING, Counts(10, success)))
    assert stored
    return stored


def silent(stage: WorkerHarness, worker_id: int, seconds: float = 31) -> None:
    """The worker has not beaten for so long."""
    stage.age("workers", seconds, f"id = {worker_id}", "beat_at")


def beats(stage: WorkerHarness, count: int, *processes: WorkerProcess) -> None:
    """Wait until each of the workers has beaten so many times from now on, and with that made rounds of the rescuer."""
    seen: dict[int, set[dt.datetime]] = {process.id: set() for process in processes}

    def have_beaten() -> bool:
        with stage.db.read() as connection:
            for worker in heartbeats.alive(connection, 3600):
                seen.setdefault(worker.id, set()).add(worker.beat_at)
        return all(len(seen[process.id]) > count for process in processes)

    wait_for(have_beaten, f"{count} beats")


# ---- processes


@pytest.mark.kill
@pytest.mark.worker
def test_the_run_of_a_killed_worker_fails_and_frees_its_identity(stage: WorkerHarness) -> None:
    first = stage.worker(worker_slots=1)
    run = stage.start("test.hold", name="flag")
    assert stage.running(run.id, success=3).worker_id == first.id
    first.kill()
    stage.silence(first)
    second = stage.worker()
    lost = stage.completed(run.id)
    assert_failed(lost, "worker.lost")
    assert lost.summary_counts == Counts(10, 3)
    assert stage.told(run.id) == ["queued", "completed"]
    second.says(f"run {run.id}: worker {first.id} was lost")
    again = stage.start("test.hold", name="flag")
    assert again.id != run.id
    stage.flag("flag")
    assert stage.completed(again.id).outcome is Outcome.SUCCEEDED
    assert stage.run(run.id) == lost


@pytest.mark.kill
@pytest.mark.worker
def test_a_worker_that_slept_cannot_change_what_was_given_up(stage: WorkerHarness) -> None:
    sleeper = stage.worker()
    asks, returns = stage.start("test.hold", name="asks"), stage.start("test.deaf", name="returns")
    for run in (asks, returns):
        stage.running(run.id, success=1)
    other = stage.worker()
    stage.freeze(sleeper)
    stage.silence(sleeper)
    lost = [stage.completed(run.id) for run in (asks, returns)]
    for run in lost:
        assert_failed(run, "worker.lost")
        assert run.worker_id == sleeper.id
    stage.flag("returns")
    sleeper.signal(signal.SIGCONT)
    sleeper.says(f"run {returns.id}: was completed by somebody else meanwhile; nothing is changed")
    stage.flag("asks")
    sleeper.says(f"run {asks.id}: ")
    wait_for(lambda: stage.marks("returns.returned"))
    assert [stage.run(run.id) for run in lost] == lost
    assert [stage.told(run.id) for run in lost] == [["queued", "completed"]] * 2
    other.kill()
    assert stage.completed(stage.start("test.mark", name="lines").id).worker_id == sleeper.id


@pytest.mark.kill
@pytest.mark.worker
def test_the_operation_of_a_run_that_was_given_up_is_ended_at_its_next_call(stage: WorkerHarness) -> None:
    sleeper = stage.worker()
    run = stage.start("test.count", name="flag")
    stage.running(run.id, success=1)
    other = stage.worker()
    stage.freeze(sleeper)
    stage.silence(sleeper)
    lost = stage.completed(run.id)
    assert_failed(lost, "worker.lost")
    sleeper.signal(signal.SIGCONT)
    wait_for(lambda: stage.marks("flag.ended"), "RunEnded in the operation")
    sleeper.says(f"run {run.id}: its operation returned after the run had been completed")
    assert stage.run(run.id) == lost
    other.says(f"run {run.id}: worker {sleeper.id} was lost")  # it says so after the change
    assert other.log.count(f"run {run.id}: worker {sleeper.id} was lost") == 1


@pytest.mark.worker
def test_a_run_of_a_living_worker_is_never_touched_however_long_it_takes(stage: WorkerHarness) -> None:
    """Begun long ago, as the row says, while two rescuers look at it again and again."""
    owner = stage.worker(worker_slots=1)
    run = stage.start("test.hold", name="flag")
    assert stage.running(run.id, success=3).worker_id == owner.id
    stage.age("operation_runs", 20 * HANG, "true", "created_at", "dispatched_at", "started_at", "updated_at")
    stage.age("workers", 20 * HANG, "true", "started_at")
    beats(stage, 20, owner, *stage.workers(2))  # with each beat a round
    assert stage.run(run.id).status is Status.RUNNING
    stage.flag("flag")
    assert stage.completed(run.id).outcome is Outcome.SUCCEEDED
    assert stage.told(run.id) == ["queued", "completed"]


@pytest.mark.kill
@pytest.mark.worker
def test_through_an_outage_living_workers_keep_their_runs_and_are_rescuers_still(
    private_postgres: PrivatePostgres, make_stage: MakeStage
) -> None:
    """That it may be as long as it likes is what the next test but one is about; here servers and processes are real."""
    stage = make_stage(private_postgres.url)
    owners = stage.workers(3, worker_slots=1)
    held = [stage.start("test.hold", name=f"flag-{number}") for number in range(3)]
    for run in held:
        stage.running(run.id, success=3)
    for begin, end in (
        (private_postgres.freeze, private_postgres.thaw),
        (lambda: private_postgres.stop(immediately=True), private_postgres.start),
    ):
        begin()
        end()
        stage.db.close()
        beats(stage, 20, *owners)  # until all of them trust again what they see
        assert [stage.run(run.id).status for run in held] == [Status.RUNNING] * 3
    owners[0].kill()
    stage.silence(owners[0])
    (lost,) = [run for run in held if stage.run(run.id).worker_id == owners[0].id]
    assert_failed(stage.completed(lost.id), "worker.lost")
    for number, run in enumerate(held):
        stage.flag(f"flag-{number}")
        assert (stage.completed(run.id).outcome is Outcome.SUCCEEDED) == (run.id != lost.id)


@pytest.mark.parametrize(("beat", "patience", "every"), [(5.0, 30.0, 5.0), (5.0, 2.0, 0.5), (0.1, 60.0, 0.1)])
def test_whoever_shortens_the_patience_alone_makes_no_living_worker_look_dead(
    stage: WorkerHarness, beat: float, patience: float, every: float
) -> None:
    """With beats every five seconds and two seconds of patience a worker would look dead for most of the time."""
    options = WorkerOptions(beat_every=beat, rescue_timeouts=RescueTimeouts(lost_after=patience))
    worker = Worker(
        stage.db, stage.registry, OperationResources(stage.db, GraphSettings("", "", lambda slug: None)), options
    )
    assert worker.beat_every == every
    worker._queue.close()


@pytest.mark.worker
def test_a_lost_message_is_queued_again_and_a_waiting_one_is_not(stage: WorkerHarness) -> None:
    """A worker with one slot that is taken: what waits, waits for longer than a message may be lost."""
    worker = stage.worker(worker_slots=1)
    blocking = stage.start("test.hold", name="flag")
    stage.running(blocking.id)
    lost, waiting = stage.start("test.mark", name="lost"), stage.start("test.mark", name="waiting")
    stage.execute(f"DELETE FROM {stage.message_table} WHERE data = :data", data=stage.messages()[0])
    stage.age("operation_runs", 20 * HANG, "status = 'queued'", "created_at", "updated_at", "dispatched_at")
    worker.says(f"run {lost.id}: its message was lost and is queued again")
    assert stage.queue.waiting(10) == [waiting.id, lost.id]
    beats(stage, 15, worker)
    assert stage.queue.waiting(10) == [waiting.id, lost.id]
    assert f"run {waiting.id}: its message was lost" not in worker.log
    stage.flag("flag")
    for run in (lost, waiting):
        assert stage.completed(run.id).outcome is Outcome.SUCCEEDED
        assert stage.told(run.id) == ["queued", "completed"]
    assert (stage.marks("lost"), stage.marks("waiting")) == ([str(lost.id)], [str(waiting.id)])


# ---- many rescuers


def all_at_once(stage: WorkerHarness, count: int = 8) -> list[str]:
    """So many rescuers, each with connections of its own, make their passes at once. Returns all that they say they did."""
    start, lines = threading.Barrier(count), []
    failed: list[BaseException] = []

    def work() -> None:
        db = Database(stage.url)
        queue = Queue(db)
        try:
            start.wait(HANG)
            for _ in range(5):
                lines.extend(Rescuer(db, queue, PATIENT).rescue())
        except BaseException as error:
            failed.append(error)
        finally:
            queue.close()
            db.close()

    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(HANG)
    assert failed == []
    return lines


def test_many_rescuers_give_up_each_lost_run_once(stage: WorkerHarness) -> None:
    dead, living = stage.register(), stage.register()
    lost = [running(stage, dead, key=f"{number}") for number in range(20)]
    kept = running(stage, living, key="kept")
    silent(stage, dead)
    lines = all_at_once(stage)
    assert sorted(lines) == sorted(f"run {run.id}: worker {dead} was lost" for run in lost)
    for run in lost:
        ended = stage.run(run.id)
        assert_failed(ended, "worker.lost")
        assert ended.summary_counts == run.summary_counts
        assert stage.told(run.id) == ["queued", "completed"]
    assert stage.run(kept.id) == kept


def test_many_rescuers_queue_each_lost_message_once(stage: WorkerHarness) -> None:
    lost = [stage.start("test.mark", name="lines", key=f"{number}") for number in range(20)]
    stage.execute(f"DELETE FROM {stage.message_table}")
    stage.age("operation_runs", 61, "true", "dispatched_at")
    lines = all_at_once(stage)
    assert len(lines) == 20
    assert Counter(stage.queue.waiting(1000)) == {run.id: 1 for run in lost}
    assert [stage.told(run.id) for run in lost] == [["queued"]] * 20


def test_many_rescuers_queue_what_never_was_and_tell_once(stage: WorkerHarness) -> None:
    found = [stage.open(name="lines", key=f"{number}") for number in range(10)]
    stage.age("operation_runs", 11, "true", "created_at", "updated_at")
    lines = all_at_once(stage)
    assert len(lines) == 10
    assert set(stage.queue.waiting(1000)) == {run.id for run in found}
    assert [stage.told(run.id) for run in found] == [["queued"]] * 10
    tracker = stage.tracker()
    for run_id in stage.queue.waiting(1000):
        tracker.execute(run_id)
    assert Counter(stage.marks("lines")) == {str(run.id): 1 for run in found}


# ---- the rules, one by one


def test_a_preview_is_left_alone_however_long_it_waits(stage: WorkerHarness) -> None:
    """It has no message by design; a queued run of the same age is queued."""
    found = stage.open(name="lines")
    held = people.open_run(stage.db, found_in(stage), stage.user, type="test.mark", held=True)
    stage.age("operation_runs", 9 * 86_400, "true", "created_at", "updated_at")
    before = stage.run(held.id)
    assert rescuer(stage).rescue() == [f"run {found.id}: had never been queued and now is"]
    assert rescuer(stage).rescue() == []
    assert stage.queue.waiting(10) == [found.id]
    assert stage.run(held.id) == before
    assert stage.told(held.id) == []


def previews(stage: WorkerHarness, *hours: float) -> tuple[User, list[Restore]]:
    """Previewed restores of contoso into itself, by a manager: each preview so many hours old."""
    user = people.make_user(stage.db, "mia", contoso=access.Role.MANAGER)
    set_id = backup(stage.db, user, "contoso", [naming(item("Firewall"))])
    made = [restoring.plan(stage.db, user, set_id, "contoso", Scope()) for _ in hours]
    for restore, age in zip(made, hours, strict=True):
        previewed(stage.db, user, restore)
        people.make_older(stage.db, restore_runs, restore.id, "previewed_at", age * 3600)
    return user, [restores.visible(stage.db, user, one.id) for one in made]


def test_a_preview_that_is_too_old_is_given_up_and_a_younger_one_stays(stage: WorkerHarness) -> None:
    user, (old, young) = previews(stage, 24.1, 23.9)
    assert old.run_id
    assert young.run_id
    line = f"restore {old.id}: its preview was too old and is given up"
    assert rescuer(stage).rescue() == [line]
    assert rescuer(stage).rescue() == []
    run = stage.run(old.run_id)
    assert_failed(run, "restore.abandoned")
    assert people.told(stage.db, run) == []
    again = restores.visible(stage.db, user, old.id)
    assert (again.status, again.run_id) == (RestoreState.CHECKED, None)
    assert restores.visible(stage.db, user, young.id) == young
    assert stage.run(young.run_id).held
    impatient = Rescuer(stage.db, stage.queue, replace(PATIENT, preview_after=3600))
    assert impatient.rescue() == [line.replace(str(old.id), str(young.id))]


def test_old_previews_are_given_up_once_by_any_number_of_rescuers(stage: WorkerHarness) -> None:
    user, made = previews(stage, 25, 26, 27)
    assert sorted(all_at_once(stage)) == [f"restore {one.id}: its preview was too old and is given up" for one in made]
    for one in made:
        assert one.run_id
        assert_failed(stage.run(one.run_id), "restore.abandoned")
        assert restores.visible(stage.db, user, one.id).status is RestoreState.CHECKED


def test_a_pass_gives_up_no_more_than_it_may(stage: WorkerHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.worker.rescuer.PREVIEWS", 2)
    previews(stage, 25, 25, 25)
    assert [len(rescuer(stage).rescue()) for _ in range(3)] == [2, 1, 0]


@pytest.mark.worker
def test_a_worker_gives_up_previews_by_the_setting(stage: WorkerHarness) -> None:
    user, (restore,) = previews(stage, 3)
    worker = stage.worker(restore_preview_hours=2)
    worker.says(f"restore {restore.id}: its preview was too old and is given up")
    assert restores.visible(stage.db, user, restore.id).status is RestoreState.CHECKED


def found_in(stage: WorkerHarness) -> Tenant:
    return access.require_right(stage.db, stage.user, "contoso", access.Right.VIEW)


def test_a_run_is_lost_when_its_worker_has_been_silent_for_too_long(stage: WorkerHarness) -> None:
    owner = stage.register()
    run = running(stage, owner)
    silent(stage, owner, 29)
    assert rescuer(stage).rescue() == []
    assert stage.run(run.id) == run
    silent(stage, owner, 2)
    assert rescuer(stage).rescue() == [f"run {run.id}: worker {owner} was lost"]


def test_a_run_of_a_worker_that_signed_off_is_lost_at_once(stage: WorkerHarness) -> None:
    owner = stage.register()
    run = running(stage, owner)
    heartbeats.deregister(stage.db, owner)
    rescuer(stage).rescue()
    assert_failed(stage.run(run.id), "worker.lost")


def test_a_worker_that_beats_just_before_it_is_given_up_keeps_its_run(stage: WorkerHarness) -> None:
    owner = stage.register()
    run = running(stage, owner)
    silent(stage, owner)
    (found,) = heartbeats.stalled_runs(stage.db, PATIENT.lost_after)
    heartbeats.heartbeat(stage.db, owner, 0)
    assert lifecycle.fail_lost(stage.db, found, PATIENT.lost_after) is None
    assert stage.run(run.id) == run


def test_a_run_that_is_done_before_it_is_given_up_stays_done(stage: WorkerHarness) -> None:
    owner = stage.register()
    run = running(stage, owner)
    silent(stage, owner)
    (found,) = heartbeats.stalled_runs(stage.db, PATIENT.lost_after)
    done = lifecycle.finish(stage.db, run.id, owner, Result(Outcome.SUCCEEDED, Counts(10, 10)))
    assert lifecycle.fail_lost(stage.db, found, PATIENT.lost_after) is None
    assert stage.run(run.id) == done
    assert stage.told(run.id) == ["queued", "completed"]


def test_a_message_is_lost_when_it_is_not_in_the_queue_for_too_long(stage: WorkerHarness) -> None:
    run = stage.start("test.mark", name="lines")
    stage.execute(f"DELETE FROM {stage.message_table}")
    stage.age("operation_runs", 59, "true", "dispatched_at", "created_at", "updated_at")
    assert rescuer(stage).rescue() == []
    stage.age("operation_runs", 2, "true", "dispatched_at", "created_at", "updated_at")
    assert rescuer(stage).rescue() == [f"run {run.id}: its message was lost and is queued again"]
    assert stage.queue.waiting(10) == [run.id]
    assert rescuer(stage).rescue() == []


def test_a_message_that_is_still_in_the_queue_is_never_doubled(stage: WorkerHarness) -> None:
    started, opened = stage.start("test.mark", name="lines"), stage.open(name="lines", key="never marked")
    stage.queue.enqueue(opened.id)  # its dispatcher died just before it could say so
    stage.age("operation_runs", 3600, "true", "created_at", "updated_at")
    stage.age("operation_runs", 3600, f"id = {started.id}", "dispatched_at")
    assert rescuer(stage).rescue() == []
    assert stage.queue.waiting(10) == [started.id, opened.id]


def test_in_a_queue_too_long_to_be_read_nothing_is_taken_for_lost(
    stage: WorkerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.worker.rescuer.LOOK_AT", 2)
    found = [stage.start("test.mark", name="lines", key=f"{number}") for number in range(3)]
    stage.age("operation_runs", 3600, "true", "dispatched_at")
    assert rescuer(stage).rescue() == []
    assert stage.queue.waiting(10) == [run.id for run in found]


def test_a_queue_that_is_away_leaves_the_run_for_the_next_round(stage: WorkerHarness) -> None:
    run = stage.open(name="lines")
    stage.age("operation_runs", 11, "true", "created_at", "updated_at")
    run = stage.run(run.id)
    stage.execute(f"ALTER TABLE {stage.message_table} RENAME TO elsewhere")
    stage.queue.waiting = lambda limit: []  # type: ignore[method-assign]
    assert rescuer(stage).rescue() == []
    assert (stage.run(run.id), stage.told(run.id)) == (run, [])
    stage.execute(f"ALTER TABLE elsewhere RENAME TO {stage.message_table}")
    assert rescuer(stage).rescue() == [f"run {run.id}: had never been queued and now is"]


# ---- who may judge


@dataclass
class Peer:
    """A worker that beats, and rescues, when the test says so."""

    stage: WorkerHarness

    def __post_init__(self) -> None:
        self.id = self.stage.register()
        self.heart = Heartbeat(self.stage.db, self.id, every=BEAT, stuck_slots=lambda: 0, lost_after=PATIENT.lost_after)
        self.run = running(self.stage, self.id, key=f"of {self.id}")

    def beat(self, rescues: bool) -> None:
        self.heart.beat()
        if rescues and (as_of := self.heart.trusted_as_of):
            assert rescuer(self.stage).rescue(as_of) == []

    def later(self, seconds: float) -> None:
        """What it remembers is older now."""
        gone = dt.timedelta(seconds=seconds)
        settled = self.heart._settled
        settled._last = settled._last and settled._last - gone
        settled._since = settled._since and settled._since - gone


BEAT = 5.0
#: Seconds in which nobody can beat, and then rounds in which each does, in some order, some of them as rescuers.
OUTAGES = st.lists(
    st.tuples(
        st.sampled_from([0.0, 14.0, 16.0, 31.0, 600.0]),
        st.lists(st.tuples(st.permutations(range(3)), st.sets(st.integers(0, 2))), min_size=1, max_size=5),
    ),
    min_size=1,
    max_size=4,
)


@examples(12)
@given(outages=OUTAGES)
def test_whatever_the_outages_and_whoever_looks_first_no_living_worker_is_given_up(
    stage: WorkerHarness, outages: list[tuple[float, list[tuple[list[int], set[int]]]]]
) -> None:
    stage.execute("DELETE FROM operation_runs")
    stage.execute("DELETE FROM workers")
    peers = [Peer(stage) for _ in range(3)]

    def later(seconds: float) -> None:
        stage.age("workers", seconds, "true", "beat_at", "started_at")
        for peer in peers:
            peer.later(seconds)

    for _ in range(5):
        later(BEAT)
        for peer in peers:
            peer.beat(rescues=True)
    for outage, rounds in outages:
        later(outage)
        for order, rescuers in rounds:
            later(BEAT)
            for number in order:
                peers[number].beat(rescues=number in rescuers)
    assert [stage.run(peer.run.id) for peer in peers] == [peer.run for peer in peers]


def test_a_worker_is_judged_as_of_the_rescuers_last_beat(stage: WorkerHarness) -> None:
    """What the rescuer asked before an outage may be answered after it, when everybody's last beat is old."""
    owner = stage.register()
    run = running(stage, owner)
    silent(stage, owner)
    now = heartbeats.heartbeat(stage.db, stage.register(), 0).at
    assert rescuer(stage).rescue(now - dt.timedelta(seconds=5)) == []
    (found,) = heartbeats.stalled_runs(stage.db, PATIENT.lost_after)
    assert lifecycle.fail_lost(stage.db, found, PATIENT.lost_after, now - dt.timedelta(seconds=5)) is None
    assert stage.run(run.id) == run
    assert rescuer(stage).rescue(now) == [f"run {run.id}: worker {owner} was lost"]


@dataclass
class Beats:
    """A heart whose beats come when the test says, by the database's clock."""

    monkeypatch: pytest.MonkeyPatch
    now: dt.datetime = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)

    def __post_init__(self) -> None:
        self.monkeypatch.setattr(heartbeats, "heartbeat", lambda *_: heartbeats.Beat(self.now, False))
        self.heart = Heartbeat(cast(Any, None), 1, every=5, stuck_slots=lambda: 0)

    def after(self, *seconds: float) -> bool:
        """Whether the heart is settled once it has beaten after each of these pauses."""
        for pause in seconds:
            self.now += dt.timedelta(seconds=pause)
            self.heart.beat()
        return self.heart.trusted_as_of == self.now


@pytest.fixture
def beats_of(monkeypatch: pytest.MonkeyPatch) -> Beats:
    return Beats(monkeypatch)


def test_a_worker_that_has_just_started_judges_nobody(beats_of: Beats) -> None:
    assert beats_of.heart.trusted_as_of is None
    assert not beats_of.after(0)
    assert not beats_of.after(5, 5, 5)
    assert beats_of.after(5)


@pytest.mark.parametrize("outage", [17, 31, 86_400])
def test_after_an_outage_a_worker_waits_until_all_others_have_beaten(beats_of: Beats, outage: float) -> None:
    assert beats_of.after(5, 5, 5, 5, 5)
    assert not beats_of.after(outage)
    assert not beats_of.after(5, 5, 5)
    assert beats_of.after(5)


def test_a_late_beat_is_no_outage(beats_of: Beats) -> None:
    assert beats_of.after(5, 5, 5, 5, 5)
    assert beats_of.after(15)
    assert beats_of.after(0.001, 0, 5)
    assert not beats_of.after(15.1)


def test_a_clock_that_is_set_back_is_no_outage(beats_of: Beats) -> None:
    assert beats_of.after(5, 5, 5, 5, 5, 5, 5)
    beats_of.after(-1)
    assert beats_of.after(5)


def test_without_beats_a_worker_judges_as_of_its_last_one(beats_of: Beats) -> None:
    assert beats_of.after(5, 5, 5, 5, 5)
    last = beats_of.now
    beats_of.now += dt.timedelta(hours=1)
    assert beats_of.heart.trusted_as_of == last


def test_a_worker_rescues_nothing_at_its_first_beat(stage: WorkerHarness) -> None:
    """Before it is settled it does not know who lives; then it does what rescuers do."""
    owner = stage.register()
    run = running(stage, owner)
    silent(stage, owner)
    worker = Worker(
        stage.db,
        stage.registry,
        OperationResources(stage.db, GraphSettings("", "", lambda slug: None)),
        WorkerOptions(),
    )
    worker._rescue()
    assert stage.run(run.id) == run
    worker._heartbeat._settled._recovery = dt.timedelta(0)
    worker._rescue()
    assert_failed(stage.run(run.id), "worker.lost")
    worker._queue.close()
