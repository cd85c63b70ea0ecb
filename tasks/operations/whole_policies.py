"""What the operations that read policies whole share: policies as the store takes them, and the counts of a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from store.errors import OperationFailed
from store.intune import versions
from store.intune.versions import ReadPolicy
from tasks.graph.resource import GraphResource
from tasks.graph.resources import BY_NAME, name_of
from tasks.sdk.context import RunContext

if TYPE_CHECKING:
    from store.db.engine import Database
    from tasks.graph.whole import WholeObject

#: Gaps without which nothing could be made of a policy again.
NOT_READ: Final = ("content_missing", "assignments_unknown")


def read_policies(db: Database, objects: Mapping[str, Iterable[WholeObject]]) -> dict[str, list[ReadPolicy]]:
    """The objects for the store, by kind. One that cannot be told gets a `failure`; one that has a failure is left out."""
    from tasks.graph import canonical

    bodies: list[tuple[str, WholeObject, dict[str, Any], str]] = []
    for name, some in objects.items():
        for one in some:
            if one.failure is None:
                with _telling(one):
                    bodies.append((name, one, *canonical.bare_and_hash(one.body)))
    # Most policies are as they were: their canonical form is known, and making it takes longer than all the rest.
    known = versions.known_contents(db, {hash_ for *_, hash_ in bodies}) if bodies else {}
    read: dict[str, list[ReadPolicy]] = {}
    for name, one, body, hash_ in bodies:
        with _telling(one):
            policy = ReadPolicy(
                external_id=str(one.listed["id"]),
                body=body,
                content_hash=hash_,
                canonical_hash=known.get(hash_) or canonical.canonical_hash(BY_NAME[name], body),
                assignments=one.assignments,
                assignments_hash=_assignments_hash(one.assignments),
                gaps=[(gap.code, gap.detail) for gap in one.gaps],
            )
            read.setdefault(name, []).append(policy)
    return read


@contextmanager
def _telling(one: WholeObject) -> Iterator[None]:
    """What is done to a body within this block may fail for that body alone."""
    try:
        yield
    except RecursionError:  # nobody's policy, but one such body must not end the run
        one.failure = OperationFailed("policy.incomplete", "it is nested too deep")


def _assignments_hash(assignments: list[dict[str, Any]] | None) -> str | None:
    from tasks.graph import canonical

    return None if assignments is None else canonical.assignments_hash({"assignments": assignments})


def count(run: RunContext, kind: GraphResource, one: WholeObject) -> None:
    """Count an object of a run: failed if it could not be read, or if nothing could be made of it again."""
    name = f"{kind.label}: {name_of(one.listed)}"
    if one.failure is not None:
        run.failed(one.failure.failure_code, f"{name}: {one.failure.message}")
    elif missing := [gap.detail for gap in one.gaps if gap.code in NOT_READ]:
        run.failed("policy.incomplete", f"{name}: {', '.join(missing)}")
    else:
        run.success()
