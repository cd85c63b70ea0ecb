"""Sends what makes an object what the backup says, so that nothing is done twice, and nothing without a note of it.

Before each request the item's intent is noted. An answer that was lost is looked for, on all pages, before anything is made
again: one new object of the kind and name is adopted; of two, nobody can tell which it is.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from store.errors import OperationFailed
from store.intune.restore_records import WorkItem
from tasks.graph.answers import ApprovalRequired, OutcomeUnknown, Refused
from tasks.graph.client import GraphClient
from tasks.graph.differences import assignment_differences, differences
from tasks.graph.recreate import Write, assign, change, creation
from tasks.graph.resource import GraphResource
from tasks.graph.resources import name_of
from tasks.graph.whole import WholeObject
from tasks.operations.restore.planning import AMBIGUOUS, CHANGED, Plan, is_begun
from tasks.operations.restore.target import Target

JUSTIFICATION: Final = "x-msft-approval-justification"
CODE: Final = "x-msft-approval-code"
WAITS: Final = "restore.waits_for_approval"
REJECTED: Final = "restore.rejected"
_REQUESTS: Final = "/deviceManagement/operationApprovalRequests"
#: How often an object is read again and changed after an answer was lost.
_ATTEMPTS: Final = 3
_ASSIGNMENTS: Final = "assignments"

#: Notes an intent, and the id of the object in the target once it is known.
Note = Callable[[Mapping[str, Any], str | None], None]


@dataclass
class ItemWriter:
    """The requests of one item."""

    graph: GraphClient
    target: Target
    kind: GraphResource
    one: WorkItem
    plan: Plan
    note: Note
    #: For those who approve: at most 1,024 characters.
    reason: str
    #: A token of a secret is good only in the tenant that gave it.
    same_tenant: bool = False
    #: Ids that the restore has made or found for other items, in lower case.
    others: Iterable[str] = ()
    #: The id in the target.
    id: str | None = None
    #: The restore has made the object: before, it was not there.
    created: bool = False
    #: What was carried out: "" is the object itself.
    done: list[str] = field(default_factory=list)

    def carry_out(self) -> str:
        """Send everything. Returns the id of the object in the target. Raises OperationFailed, ApprovalRequired among them,
        with whose code the request that waits is noted.
        """
        self.id = self.plan.target_id or self._made_before()
        intent = self.one.item.intent
        # What is new under its name was made by the attempt whose request was noted last.
        self.created = self._is_begun and (intent.get("created") is True or "made" not in intent)
        resumed = self.one.item.intent.get("approval")
        if isinstance(resumed, Mapping):
            self._resume(resumed)
        if self.id is None:
            self._create()
            self._send_all(self._parts_of_a_new_one())
        elif self.plan.assignments_only:
            pass  # its body is not ours to write, whatever was begun before
        elif resumed or self._is_begun:
            self._finish(self._read())
        elif _changes_body(self.plan):
            self._finish(self.plan.whole or self._read())
        self._assign()
        assert self.id is not None
        return self.id

    # ---- the object

    @property
    def _is_begun(self) -> bool:
        return self.id is not None and is_begun(self.one, self.id)

    def _made_before(self) -> str | None:
        """What an earlier attempt has made, if it is there: a list may not show yet what is new."""
        self.id = _text(self.one.item.intent.get("made"))
        return None if self.id is None or self._whole().gone else self.id

    def _create(self) -> None:
        first = self._creation()[0]
        before = set(self.plan.before)
        may_be_there = "before" in self.one.item.intent
        for _ in range(_ATTEMPTS):
            self._note(before=sorted(before))
            try:
                answer = self._send(first)
            except OutcomeUnknown:
                may_be_there = True
                found = self._look(before)
            except ApprovalRequired:
                raise
            except OperationFailed:
                if not may_be_there:
                    self._note()  # nothing was made: what has this name later is somebody else's
                raise
            else:
                found = _text(answer.get("id")) or self._look(before)
            if found is not None:
                self.id, self.created = found, True
                self.done.append("")
                self._note()
                return
        raise OperationFailed("graph.unknown", "it was sent several times, and its answer was lost each time")

    def _creation(self) -> list[Write]:
        try:
            return creation(self.kind, self.plan.body, self.graph.base_url, tokens=self.same_tenant)
        except ValueError as error:
            raise OperationFailed("operation.error", str(error)) from None

    def _look(self, before: set[str]) -> str | None:
        """The object that a request made whose answer was lost; None if it made none. Raises OperationFailed if there are two."""
        ours = {id_.lower() for id_ in self.others}
        new = [
            str(it["id"])
            for it in self.target.relist(self.kind)
            if name_of(it) == self.one.backup.name and str(it["id"]) not in before and str(it["id"]).lower() not in ours
        ]
        if len(new) > 1:
            raise OperationFailed(AMBIGUOUS, f"{len(new)} objects of that name have appeared: {', '.join(new)}")
        return new[0] if new else None

    def _parts_of_a_new_one(self) -> list[Write]:
        return self._creation()[1:]

    def _send_all(self, writes: Iterable[Write]) -> None:
        """Send parts of a new object. If an answer is lost, the object is read, and what it lacks is sent."""
        try:
            for write in writes:
                self._part(write)
        except OutcomeUnknown:
            self._finish(self._read())

    # ---- changes

    def _finish(self, whole: WholeObject) -> None:
        """Make an object that is there what the body says."""
        for attempt in range(_ATTEMPTS):
            try:
                writes = change(self.kind, self.plan.body, whole.body, self.graph.base_url, tokens=self.same_tenant)
            except ValueError as error:
                raise OperationFailed("operation.error", str(error)) from None
            try:
                for write in writes:
                    if write.part not in self.done:
                        self._part(write)
            except OutcomeUnknown:
                if attempt + 1 == _ATTEMPTS:
                    raise
                whole = self._read()
            else:
                return

    def _read(self) -> WholeObject:
        found = self._whole()
        if found.gone:
            raise OperationFailed(CHANGED, "the object is not there any more")
        return found

    def _whole(self) -> WholeObject:
        assert self.id is not None
        listed = {"id": self.id, "@odata.type": self.one.backup.body.get("@odata.type")}
        return self.target.whole(self.kind, {key: value for key, value in listed.items() if value is not None})

    def _part(self, write: Write) -> None:
        self._note(next=write.part)
        self._send(write)
        self.done.append(write.part)

    # ---- assignments

    def _assign(self) -> None:
        """Replace the set of assignments in one call. A set that is as it shall be is left alone, so that nothing empty is sent
        where nothing was.
        """
        if _ASSIGNMENTS in self.done or self.kind.assign is None:
            return
        send = self.plan.assignments.send
        there = self.plan.whole.assignments if self.plan.whole is not None and not self._is_begun else None
        if self.plan.whole is None and not send:
            return  # a new object has none
        if there is not None and not assignment_differences(there, [*send, *_of_policy_sets(there)], {}):
            return
        item = {"id": self.id, "@odata.type": self.one.backup.body.get("@odata.type") or ""}
        try:
            write = assign(self.kind, item, send)
        except ValueError as error:
            raise OperationFailed("operation.error", str(error)) from None
        if write is not None:
            self._part(write)

    # ---- requests

    def _send(self, write: Write) -> dict[str, Any]:
        path = write.path.replace("{id}", self.id or "")
        headers = {JUSTIFICATION: base64.b64encode(self.reason.encode()).decode()}
        try:
            return self.graph.write(write.method, path, write.body, headers=headers, repeatable=write.repeatable)
        except ApprovalRequired as error:
            request = {"method": write.method, "path": path, "body": dict(write.body), "part": write.part}
            self._note(approval={"code": error.approval_code, **request})
            raise

    def _resume(self, approval: Mapping[str, Any]) -> None:
        """Send the identical request with the code of its approval."""
        code, part = str(approval.get("code")), str(approval.get("part"))
        done = self.one.item.intent.get("done")
        self.done = [str(one) for one in done] if isinstance(done, list) else []
        before = {str(id_) for id_ in self.plan.before}
        is_new = part == "" and self.id is None
        self._note(approval=dict(approval), **({"before": sorted(before)} if is_new else {}))
        try:
            answer = self.graph.write(
                approval["method"], approval["path"], approval["body"], headers={CODE: code}, repeatable=False
            )
        except OutcomeUnknown:
            answer = {}
            if not is_new:
                self._require_as_planned(part)
        except ApprovalRequired as error:  # the approval that was waited for holds no more: Graph wants another
            self._note(approval={**approval, "code": error.approval_code})
            raise
        except Refused as error:
            raise self._undecided(code, error) from None
        self.done.append(part)
        if is_new:
            self.id, self.created = _text(answer.get("id")) or self._look(before), True
            if self.id is None:
                raise OperationFailed("graph.unknown", "its answer was lost, and no object of that name has appeared")
        self._note()

    def _require_as_planned(self, part: str) -> None:
        """Look whether a change was carried out whose answer was lost. Raises OperationFailed if the object is not as it shall
        be: the same request with the same approval may not be sent blindly again.
        """
        whole = self._read()
        if part == _ASSIGNMENTS:
            there = whole.assignments or []
            differs = bool(assignment_differences(there, [*self.plan.assignments.send, *_of_policy_sets(there)], {}))
        else:
            differs = bool(differences(self.kind, whole.body, self.plan.body))
        if differs:
            raise OperationFailed("graph.unknown", "its answer was lost, and the object is not as it shall be")

    def _undecided(self, code: str, error: Refused) -> OperationFailed:
        """Why the request was not carried out: nobody has approved it yet, or somebody has refused to."""
        status = next((_text(one.get("status")) for one in self._requests() if one.get("id") == code), None)
        if status == "needsApproval":
            return ApprovalRequired(code)
        if status in ("rejected", "cancelled", "expired"):
            return OperationFailed(REJECTED, f"the approval is {status}")
        return error

    def _requests(self) -> list[dict[str, Any]]:
        try:
            return [one for page in self.graph.pages(_REQUESTS) for one in page]
        except OperationFailed:
            return []  # the app may not read them; what the request was answered tells enough

    def _note(self, **more: Any) -> None:
        known = {"made": self.id} if self.id is not None else {}
        made = {"created": True} if self.created else {}
        self.note({**known, **made, "done": list(self.done), **more}, self.id)


def _changes_body(plan: Plan) -> bool:
    return any(one.change != "assignment" for one in plan.differences)


def _of_policy_sets(assignments: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [one for one in assignments if one.get("source") == "policySets"]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
