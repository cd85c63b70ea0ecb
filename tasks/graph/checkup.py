"""What of a tenant its app can read: one small request for each kind of object, and one for groups. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from store.errors import OperationFailed
from tasks.graph.answers import Refused
from tasks.graph.client import GraphClient, RetryLimits
from tasks.graph.resources import KINDS, permission_for

#: Somebody waits for the result: few attempts, short waits.
QUICK: Final = RetryLimits(attempts=2, first_wait=0.5, longest_wait=2.0, total_wait=3.0, timeout=10.0)
#: After so many requests in a row without an answer the rest is not tried.
PATIENCE: Final = 2
#: Statuses of a service that does not know `$top`.
_NO_TOP: Final = (400, 501)
NO_ANSWER: Final = "Graph does not answer"


@dataclass(frozen=True, slots=True)
class Subject:
    """What is read: a kind of object, or groups. `path` has no version."""

    name: str
    #: The name for people, in the plural.
    label: str
    path: str
    #: The application permission that reading needs.
    permission: str


_GROUPS: Final = Subject("groups", "groups", "/groups", permission_for("/groups", writing=False))
SUBJECTS: Final = (*(Subject(kind.name, kind.label, kind.path, kind.read_permission) for kind in KINDS), _GROUPS)


class Result(StrEnum):
    """How an attempt to read ended."""

    READ = "read"
    #: Graph answered with 403.
    FORBIDDEN = "forbidden"
    FAILED = "failed"
    NOT_TRIED = "not tried"


@dataclass(frozen=True, slots=True)
class ReadCheck:
    """The attempt to read one subject. `words` says why it was not read; empty if it was."""

    subject: Subject
    result: Result
    words: str = ""

    @property
    def ok(self) -> bool:
        """Whether it was read."""
        return self.result is Result.READ

    @property
    def was_tried(self) -> bool:
        """Whether a request was sent for it."""
        return self.result is not Result.NOT_TRIED


def read_each(graph: GraphClient, subjects: Iterable[Subject] = SUBJECTS) -> Iterator[ReadCheck]:
    """Read one object of each subject. Yields the checks as they are made, and raises nothing.

    Once the token is refused, or Graph has not answered PATIENCE times in a row, the rest is not tried.
    """
    unanswered, why = 0, ""
    for subject in subjects:
        if why:
            yield ReadCheck(subject, Result.NOT_TRIED, why)
            continue
        try:
            _read(graph, subject)
        except OperationFailed as error:
            unanswered = 0 if isinstance(error, Refused) else unanswered + 1
            why = _ends(error, unanswered)
            forbidden = error.failure_code == "graph.forbidden"
            yield ReadCheck(subject, Result.FORBIDDEN if forbidden else Result.FAILED, str(error))
        else:
            unanswered = 0
            yield ReadCheck(subject, Result.READ)


def _read(graph: GraphClient, subject: Subject) -> None:
    """Read the first page, of one object if the service can do that. Raises OperationFailed."""
    try:
        next(graph.pages(subject.path, {"$top": "1"}))
    except Refused as error:
        if error.status not in _NO_TOP:
            raise
        next(graph.pages(subject.path))


def _ends(error: OperationFailed, unanswered: int) -> str:
    """Why nothing more is tried after this error; empty if the next one is."""
    if error.failure_code == "graph.unauthorized":
        return "the token was refused"
    return NO_ANSWER if unanswered >= PATIENCE else ""


def missing_permissions(checks: Sequence[ReadCheck]) -> dict[str, list[Subject]]:
    """The permissions that the app lacks, each with what it is for and was refused, in the order of the checks.

    A permission with which something else was read is there: Graph refuses for another reason then.
    """
    there = {check.subject.permission for check in checks if check.ok}
    missing: dict[str, list[Subject]] = {}
    for check in checks:
        if check.result is Result.FORBIDDEN and check.subject.permission not in there:
            missing.setdefault(check.subject.permission, []).append(check.subject)
    return missing
