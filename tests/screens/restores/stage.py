"""Restores for the screens to look at."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from screens.backend import Backend
from store.errors import InputInvalid
from store.intune.restore_mappings import Decision
from store.intune.restore_numbers import Numbers, RestoresRun
from store.intune.restore_page import (
    AnyRestoreFound,
    AnyRestoreWanted,
    ListedRestore,
    ListedRestoreItem,
    Place,
    RestoreDetail,
    RestoreItemDetail,
    RestoreItemWanted,
    Restores,
    RestoresWanted,
    RestoreWanted,
)
from store.intune.restore_records import Restore, RestoreItem, RestoreState, Scope
from store.model.records import Outcome, Run, Status
from store.people.access import Membership, Role
from store.runs.restore_review import Review
from store.runs.restoring import Confirmation
from tasks.dispatch import Dispatcher, Receipt, Started
from tests.screens.conftest import AT, CONTOSO, HOSTILE, FakeBackend, OnlyARegistry, a_run, ago
from tests.screens.inventory.stage import DAY, EMOJI, HEBREW, LONG

HOUR = 3600
OWNER = (Membership(CONTOSO, Role.OWNER),)


@dataclass
class Changes:
    """What the keys change: each call is kept, and with `refuses` raises."""

    calls: list[tuple[Any, ...]] = field(default_factory=list)
    refuses: str = ""
    #: The items that a review finds, by the restore's id, and the restore; ticks are kept in it.
    reviewed: dict[int, tuple[Restore, tuple[RestoreItem, ...]]] = field(default_factory=dict)

    def plan(self, set_id: int, tenant: str, scope: Scope, mode: str, reason: str) -> Restore:
        return replace(self._kept("plan", set_id, tenant, scope, mode, reason), id=1)

    def rescope(self, restore_id: int, scope: Scope, mode: str) -> Restore:
        return self._kept("rescope", restore_id, scope, mode)

    def tick(self, restore_id: int, ticks: Sequence[str]) -> Restore:
        """As the store does: what changes what is written wants another preview."""
        self._kept("tick", restore_id, list(ticks))
        restore, items = self.reviewed[restore_id]
        goes_back = set(ticks) ^ set(restore.ticks) and not set(ticks) <= {"everybody"}
        status = RestoreState.CHECKED if goes_back else restore.status
        self.reviewed[restore_id] = (replace(restore, ticks=tuple(ticks), status=status), items)
        return self.reviewed[restore_id][0]

    def review(self, restore_id: int) -> Review:
        restore, items = self.reviewed[restore_id]
        return Review(restore, items, (), None, 0, AT)

    def choose(self, restore_id: int, choices: Mapping[int, Mapping[str, Any]]) -> Restore:
        return self._kept("choose", restore_id, dict(choices))

    def leave_out_blocked(self, restore_id: int) -> Restore:
        return self._kept("leave_out_blocked", restore_id)

    def discard(self, restore_id: int) -> Restore:
        return self._kept("discard", restore_id)

    def undo(self, restore_id: int) -> Restore:
        return replace(self._kept("undo", restore_id), id=1)

    def decide(self, restore_id: int, decisions: Sequence[Decision]) -> Restore:
        return self._kept("decide", restore_id, *decisions)

    def suggest(self, restore_id: int) -> Restore:
        return self._kept("suggest", restore_id)

    def _kept(self, *call: Any) -> Restore:
        if self.refuses:
            raise InputInvalid(self.refuses)
        self.calls.append(call)
        return PREVIEWED.restore


class Dispatches(OnlyARegistry):
    """Starts nothing, and keeps what was to be started."""

    def __init__(self) -> None:
        self.started: list[tuple[str, int]] = []
        self.executed: list[tuple[int, Confirmation, float]] = []
        self.refuses = ""

    def preview_restore(self, _user: Any, restore_id: int) -> Started:
        return self._kept("preview", restore_id)

    def continue_restore(self, _user: Any, restore_id: int) -> Started:
        return self._kept("continue", restore_id)

    def execute_restore(self, _user: Any, restore_id: int, confirmed: Confirmation, max_age: float) -> Started:
        if self.refuses:
            raise InputInvalid(self.refuses)
        self.executed.append((restore_id, confirmed, max_age))
        return self._kept("execute", restore_id)

    def _kept(self, what: str, restore_id: int) -> Started:
        self.started.append((what, restore_id))
        run: Run = a_run(70 + restore_id)
        return Started(Receipt.QUEUED, run)


@dataclass
class RestoresBackend(FakeBackend):
    """A backend that keeps what is done with restores."""

    dispatches: Dispatches = field(default_factory=Dispatches)

    def backend(self, dispatcher: Callable[[], Dispatcher] | None = None) -> Backend:
        found: Any = self.dispatches
        return super().backend(dispatcher or (lambda: found))


def a_restore(id_: int, status: RestoreState, numbers: Numbers = Numbers(), **changed: Any) -> ListedRestore:  # noqa: B008
    """A restore from fabrikam into contoso; `run` and `preview_run` are the states of its runs."""
    run, preview_run = changed.pop("run", None), changed.pop("preview_run", None)
    made = Restore(
        id_, 1, "contoso", "Contoso", 2, "fabrikam", 12, "Before the change", status, "create", True, {}, (), None,
        "Ann Alba", run.id if run else None, preview_run.id if preview_run else None, ago(3 * HOUR), None,
        ago(DAY * (20 - id_)), ago(HOUR),
    )  # fmt: skip
    return ListedRestore(replace(made, **changed), numbers, run, preview_run)


def a_runs_state(id_: int, status: Status, outcome: Outcome = Outcome.PENDING, *, held: bool = False) -> RestoresRun:
    return RestoresRun(id_, status, outcome, held)


FOUND = {"create": 30, "update": 5, "same": 3, "blocked": 1, "ambiguous": 1}
HELD = a_runs_state(907, Status.QUEUED, held=True)
RUNNING_RUN = a_runs_state(909, Status.RUNNING)
ENDED = a_runs_state(905, Status.COMPLETED, Outcome.PARTIALLY_SUCCEEDED)

SCOPED = a_restore(14, RestoreState.SCOPED, Numbers(40), previewed_at=None)
PREVIEWING = a_restore(
    13, RestoreState.CHECKED, Numbers(40), preview_run=a_runs_state(906, Status.RUNNING), previewed_at=None
)
CHECKED = a_restore(
    12, RestoreState.CHECKED, Numbers(40), preview_run=a_runs_state(904, Status.COMPLETED, Outcome.FAILED)
)
PREVIEWED = a_restore(11, RestoreState.PREVIEWED, Numbers(40, FOUND, blocked=2), mode="update", run=HELD)
READY = a_restore(
    10, RestoreState.PREVIEWED, Numbers(38, {"create": 33, "same": 5}, left_out=1), run=HELD, ticks=("everybody",)
)
RUNNING = a_restore(
    9, RestoreState.RUNNING, Numbers(40, FOUND, {"done": 12, "failed": 1}), run=RUNNING_RUN, dry_run=False
)
WAITING = a_restore(
    8, RestoreState.WAITING_FOR_APPROVAL, Numbers(3, {"create": 3}, {"done": 1, "waiting": 2}), run=ENDED, dry_run=False
)
PARTIAL = a_restore(
    7, RestoreState.PARTIAL, Numbers(40, FOUND, {"done": 36, "failed": 2, "skipped": 2}), run=ENDED, dry_run=False,
    undo_set_id=31, mode="update", reason="Ticket 4711: the pilot's policies were overwritten",
)  # fmt: skip
COMPLETED = a_restore(
    6, RestoreState.COMPLETED, Numbers(5, {"create": 5}, {"done": 5}), run=ENDED, source_tenant="contoso",
    source_tenant_id=1,
)  # fmt: skip
FAILED = a_restore(5, RestoreState.FAILED, Numbers(2, {"create": 2}), run=ENDED, backup_set=EMOJI, dry_run=False)
ODD = a_restore(
    4, RestoreState.PARTIAL, Numbers(1_234_567, {"create": 1_234_567}, {"failed": 1_234_566}), run=ENDED, reason=HOSTILE,
    backup_set=HOSTILE, initiator_name=HOSTILE, dry_run=False, ticks=("no_actions", HOSTILE), undo_set_id=3,
)  # fmt: skip
DRAFT = a_restore(3, RestoreState.DRAFT, backup_set=LONG, previewed_at=None)
ALL = (
    SCOPED, PREVIEWING, CHECKED, PREVIEWED, READY, RUNNING, WAITING, PARTIAL, COMPLETED, FAILED, ODD, DRAFT,
)  # fmt: skip
HISTORY = Restores(CONTOSO, ALL, has_more=False)


def listed(id_: int, name: str = "", action: str | None = "create", **changed: Any) -> ListedRestoreItem:
    made = ListedRestoreItem(
        id_, "configuration_policies", name or f"Policy {id_}", id_, action, None, False, "", ()
    )  # fmt: skip
    return replace(made, **changed)


ITEMS = (
    listed(1, "BitLocker"),
    listed(2, "Defender", "update", needs=("everybody",)),
    listed(3, "Firewall", "same"),
    listed(4, "Pilot only", "blocked", told='the group "Pilot" is not in the target'),
    listed(5, "Wi-Fi", "ambiguous", told='2 objects are named "Wi-Fi"', kind="device_configurations"),
    listed(6, EMOJI, "blocked", is_skipped=True, told="it has a secret that the backup does not have"),
    listed(7, HEBREW, "exists", kind="mobile_apps"),
    listed(8, HOSTILE, "blocked", told=HOSTILE, kind=f"z {HOSTILE}"),
    listed(9, LONG, None, kind="scripts"),
)
BECAME = (
    listed(1, "BitLocker", result="done"),
    listed(2, "Defender", "update", result="failed", told="Microsoft Graph refused: scope tags are missing"),
    listed(3, "Firewall", "same", result="skipped", told="it is the same"),
    listed(4, "Wi-Fi", result="waiting", told="a second administrator has to approve it"),
    listed(5, "VPN"),
)


def detail_of(found: ListedRestore, **changed: Any) -> RestoreDetail:
    """With the items of a preview before an execution, and with results after it."""
    items = BECAME if found.numbers.results else ITEMS
    undo = "Before restore 7" if found.restore.undo_set_id else None
    return replace(RestoreDetail(found, {}, 0, undo, items), **changed)


PLAN = {
    "reasons": [{"code": "restore.unresolved_group", "words": 'the group "Pilot" stands for none'}],
    "needs": ["everybody", "odd"],
    "candidates": [{"id": "aaaa", "name": "Wi-Fi"}, {"id": "bbbb", "name": "Wi-Fi"}],
    "differences": [
        {"change": "modified", "path": "omaSettings[x].value", "old": 5, "new": {"a": [1, 2]}, "words": None},
        {"change": "added", "path": "description", "old": None, "new": LONG, "words": None},
        {"change": "assignment", "path": "assignments", "old": None, "new": {}, "words": "assigned to all devices"},
    ],
    "more_differences": 1_200,
    "assignments": [
        {"words": "include group Sales", "state": "kept", "code": None, "reason": ""},
        {
            "words": "exclude group Pilot",
            "state": "failed",
            "code": "restore.not_kept",
            "reason": "nothing stands for it",
        },
        {"words": "include group Old", "state": "skipped", "code": None, "reason": "somebody chose to skip it"},
    ],
}
ITEM = RestoreItem(
    5, 55, "device_configurations", "0f0e8a1c-0000-4000-8000-000000000001", "Wi-Fi", 5, "ambiguous", None, PLAN, {}, {},
    None, None, None, None, None,
)  # fmt: skip


def an_item(**changed: Any) -> RestoreItemDetail:
    return RestoreItemDetail(PREVIEWED.restore, replace(ITEM, **changed))


def became(result: str, code: str, message: str, at: dt.datetime) -> RestoreItemDetail:
    """An item of which something became, with a request of Microsoft Graph."""
    return an_item(
        action="update", target_id="aaaa", result=result, result_code=code, result_message=message, request_id="r-1",
        done_at=at, plan=PLAN | {"reasons": [], "candidates": [], "needs": []},
    )  # fmt: skip


def stage(*more: tuple[AnyRestoreWanted, AnyRestoreFound | None], **changed: Any) -> RestoresBackend:
    """A backend with these restores. `more` replaces what is found, or with None takes it away."""
    found: dict[AnyRestoreWanted, Any] = {RestoresWanted("contoso"): HISTORY}
    for one in ALL:
        id_, whole = one.restore.id, detail_of(one)
        found[RestoreWanted(id_)] = whole
        for which in ("blocked", "failed"):
            kept = tuple(it for it in whole.items if which in (it.action, it.result))
            found[RestoreWanted(id_, which)] = replace(whole, items=kept)
        for it in whole.items:
            found[RestoreItemWanted(id_, it.id)] = an_item(id=it.id, name=it.name)
    found |= {RestoreWanted(14): detail_of(SCOPED, undecided=3), **dict(more)}
    changes, members = changed.pop("changes", Changes()), changed.pop("members", OWNER)
    kept_ones = {wanted: one for wanted, one in found.items() if one}
    return RestoresBackend(restores=kept_ones, members=members, restore_changes=changes, **changed)


def pages(count: int) -> tuple[tuple[AnyRestoreWanted, AnyRestoreFound], ...]:
    """So many pages of three items each, of restore 11."""
    found: list[tuple[AnyRestoreWanted, AnyRestoreFound]] = []
    after: Place | None = None
    for number in range(count):
        ids = range(10 * number + 1, 10 * number + 4)
        following = (ids[-1], ids[-1]) if number < count - 1 else None
        page = detail_of(PREVIEWED, items=tuple(map(listed, ids)), next=following)
        found.append((RestoreWanted(11, after=after), page))
        after = following
    return tuple(found)
