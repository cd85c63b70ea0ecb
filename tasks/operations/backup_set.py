"""`backup_set.create` and `backup_set.add_policies`: keep policies as they are now, whole, with their assignments and the
names of what they refer to.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from store.errors import InputInvalid, NotFound, OperationFailed
from store.intune import backups, group_search, inventory
from store.intune.backup_records import BackupItem, BackupKind, NewSet
from store.search.globs import matches
from tasks.graph.resource import GraphResource, KindName
from tasks.graph.resources import KINDS, name_of, platform_of
from tasks.operations.tenant_graph import Rhythm, fail_kind, kinds_named, tenant_graph
from tasks.operations.whole_policies import count, read_policies
from tasks.sdk.context import RunContext
from tasks.sdk.operation import operation

if TYPE_CHECKING:
    from tasks.graph.client import GraphClient
    from tasks.graph.whole import WholeObject
    from tasks.operations.reference_names import ReferenceNames

#: Policies that are named one by one, at most.
MAX_POLICIES: Final = 1_000


@operation(
    "backup_set.create",
    label="Back up policies",
    identity=["name", "kinds", "policies", "filter"],
    timeout=4 * 3600,
)
def create(
    run: RunContext,
    name: str = "",
    kinds: tuple[KindName, ...] | None = None,
    policies: tuple[str, ...] | None = None,
    filter: str = "",  # noqa: A002 (the parameter's name for people)
) -> None:
    """Keep policies as they are now, with their assignments, in a new backup set.

    Args:
        name: the name of the set; the instant if it is left empty
        kinds: the kinds of policy; all when left empty
        policies: ids of single policies; all when left empty
        filter: only policies with such a name, as in VPN*
    """
    selection = Selection.of(run, kinds, policies, filter)
    new = NewSet(name, selection.told(), run.initiator)
    set_id = backups.begin(run.tools.db, run.tenant.id, new, run.id, run.retry_of_id)
    fill(run, set_id, selection, again=run.retry_of_id is not None)


@operation(
    "backup_set.add_policies",
    label="Add policies to a backup",
    identity=["backup_set", "kinds", "policies", "filter"],
    timeout=4 * 3600,
)
def add_policies(
    run: RunContext,
    backup_set: int,
    kinds: tuple[KindName, ...] | None = None,
    policies: tuple[str, ...] | None = None,
    filter: str = "",  # noqa: A002
) -> None:
    """Add policies to a backup set, as they are now. What is in the set stays as it is.

    Args:
        backup_set: the number of a set that is finished; it takes more until a drift report or a restore stands on it
        kinds: the kinds of policy; all when left empty
        policies: ids of single policies; all when left empty
        filter: only policies with such a name, as in VPN*
    """
    selection = Selection.of(run, kinds, policies, filter)
    try:
        backups.take_more(run.tools.db, run.tenant.id, backup_set, run.id, run.retry_of_id)
    except NotFound as error:
        raise InputInvalid(error.message, error.hint) from None
    fill(run, backup_set, selection, again=run.retry_of_id is not None)


@dataclass(frozen=True)
class Selection:
    """Which policies are asked for."""

    kinds: Sequence[GraphResource]
    #: Ids in lower case, by kind; None for all.
    ids: Mapping[str, Collection[str]] | None = None
    pattern: str = ""

    @classmethod
    def of(
        cls, run: RunContext, kinds: Sequence[str] | None, policies: Sequence[str] | None, pattern: str
    ) -> Selection:
        """From parameters. Raises InputInvalid for policies that the inventory does not know: nobody knows their kind."""
        if not policies:
            return cls(kinds_named(kinds), None, pattern.strip())
        if len(policies) > MAX_POLICIES:
            raise InputInvalid(f"at most {MAX_POLICIES:,} policies can be named", "choose kinds, or a filter")
        ids: dict[str, set[str]] = defaultdict(set)
        known = inventory.kinds_of(run.tools.db, run.tenant.id, policies)
        for kind, id_ in known:
            ids[kind].add(id_.lower())
        if unknown := {id_.lower() for id_ in policies} - {id_.lower() for _, id_ in known}:
            more = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
            raise InputInvalid(f"the inventory has no policy {min(unknown)}{more}", "sync the inventory first")
        return cls([kind for kind in kinds_named(kinds) if kind.name in ids], ids, pattern.strip())

    @property
    def is_narrow(self) -> bool:
        """Whether policies of a kind may be left out."""
        return self.ids is not None or bool(self.pattern)

    def told(self) -> dict[str, Any]:
        """For the set's record."""
        made: dict[str, Any] = {"kinds": [kind.name for kind in self.kinds]}
        if self.ids is not None:
            made["policies"] = {kind: sorted(ids) for kind, ids in self.ids.items()}
        return made | ({"filter": self.pattern} if self.pattern else {})

    def takes(self, kind: GraphResource, item: Mapping[str, Any]) -> bool:
        """Whether an object of a list is asked for."""
        if self.ids is not None and str(item["id"]).lower() not in self.ids.get(kind.name, ()):
            return False
        return not self.pattern or matches(self.pattern.casefold(), name_of(item).casefold())


def fill(run: RunContext, set_id: int, selection: Selection, *, again: bool) -> None:
    """Read what is asked for into a set. What is in it already is neither read again nor changed; if an attempt is made
    `again`, neither are the kinds that are complete.
    """
    run.note("backup_set_id", set_id)
    kept, before = backups.kept(run.tools.db, set_id)
    with tenant_graph(run) as graph:
        filling = _Filling(run, graph, set_id, selection, kept, again)
        for kind in selection.kinds:
            if kind.name in before and before[kind.name].is_complete and again:
                run.log(f"{before[kind.name].kept} {kind.label} were in the set before")
            else:
                filling.read(kind)
        filling.keep()
    backups.end(run.tools.db, set_id, run.id)
    if left_out := [kind.label for kind in KINDS if kind not in selection.kinds and kind.name not in before]:
        run.log(f"not looked at: {', '.join(left_out)}")


@dataclass
class _Reading:
    """What is known of a kind while it is read."""

    kind: GraphResource
    #: Objects that were stored, and those that could not be read.
    kept: int = 0
    unreadable: int = 0
    #: Read and not stored yet.
    unkept: list[WholeObject] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    failure: OperationFailed | None = None


@dataclass
class _Filling:
    """The reading of all kinds: small ones go into one transaction together."""

    run: RunContext
    graph: GraphClient
    set_id: int
    selection: Selection
    #: The ids that are in the set, by kind.
    there: Mapping[str, Collection[str]]
    #: What was asked for before is asked for once more.
    again: bool
    readings: dict[str, _Reading] = field(default_factory=dict)
    rhythm: Rhythm = field(default_factory=Rhythm)
    _names: ReferenceNames | None = None

    @property
    def names(self) -> ReferenceNames:
        from tasks.operations.reference_names import ReferenceNames

        if self._names is None:
            self._names = ReferenceNames(self.graph, self._cached, lambda text: self.run.log(text, "warning"))
        return self._names

    def _cached(self, ids: Collection[str]) -> dict[str, str]:
        return group_search.names_of(self.run.tools.db, self.run.tenant.id, ids)

    def read(self, kind: GraphResource) -> None:
        """Read one kind. If its list cannot be read, only this kind fails; refused credentials end the run."""
        from tasks.graph.whole import read_whole

        reading = self.readings[kind.name] = _Reading(kind)

        def wanted(item: Mapping[str, Any]) -> bool:
            id_ = str(item["id"])
            if id_ in reading.seen or not self.selection.takes(kind, item):
                return False  # a page may repeat an object
            reading.seen.add(id_)
            return id_ not in self.there.get(kind.name, ())

        try:
            for chunk in read_whole(self.graph, kind, lambda text: self.run.log(text, "warning"), wanted):
                self.run.check()
                reading.unkept += [one for one in chunk if not one.gone]
                if self.rhythm.is_due(sum(len(one.unkept) for one in self.readings.values())):
                    self.keep(kind.name)
        except OperationFailed as error:
            reading.failure = error
            fail_kind(self.run, self.graph, kind, error, len(reading.seen))
        else:
            self._miss(reading)

    def _miss(self, reading: _Reading) -> None:
        """Policies that were named and are not there any more."""
        named = (self.selection.ids or {}).get(reading.kind.name, ())
        missing = set(named) - {id_.lower() for id_ in reading.seen}
        if missing and not self.selection.pattern:
            for id_ in sorted(missing):
                self.run.failed("graph.not_found", f"{reading.kind.label}: {id_} is not there any more")

    def keep(self, unfinished: str = "") -> None:
        """Store what was read, and count it. Of a kind that is not read to its end nothing is noted yet."""
        objects = {name: list(one.unkept) for name, one in self.readings.items()}
        items = self._items(objects)
        kinds: list[BackupKind] = []
        for name, reading in self.readings.items():
            for one in reading.unkept:
                count(self.run, reading.kind, one)
                reading.kept += one.failure is None
                reading.unreadable += one.failure is not None
                reading.failure = reading.failure or one.failure
            reading.unkept = []
            if name != unfinished:
                kinds.append(self._state(reading))
                self.run.log(f"{kinds[-1].kept} {reading.kind.label}")
        backups.add(self.run.tools.db, self.run.tenant.id, self.set_id, items, kinds, again=self.again)
        self.readings = {name: one for name, one in self.readings.items() if name == unfinished}

    def _items(self, objects: Mapping[str, list[WholeObject]]) -> list[BackupItem]:
        read = read_policies(self.run.tools.db, objects)
        whole = {(name, str(one.listed["id"])): one for name, some in objects.items() for one in some}
        pairs = [(self.readings[name].kind, one) for name, some in read.items() for one in some]
        references = self.names.references([(kind, one.body, one.assignments or ()) for kind, one in pairs])
        items = []
        for (kind, one), found in zip(pairs, references, strict=True):
            listed = whole[kind.name, one.external_id].listed
            lost = [("reference_lost", text) for text in self.names.lost(found)]
            items.append(
                BackupItem(
                    kind=kind.name,
                    external_id=one.external_id,
                    name=name_of(listed),
                    platform=platform_of(kind, listed),
                    body=one.body,
                    content_hash=one.content_hash,
                    canonical_hash=one.canonical_hash,
                    assignments=one.assignments,
                    assignments_hash=one.assignments_hash,
                    references=found,
                    gaps=[*one.gaps, *lost],
                )
            )
        return items

    def _state(self, reading: _Reading) -> BackupKind:
        kept = len(self.there.get(reading.kind.name, ())) + reading.kept
        failure = reading.failure
        return BackupKind(
            reading.kind.name,
            kept + reading.unreadable,
            kept,
            failure.failure_code if failure else None,
            failure.message if failure else None,
            self.selection.is_narrow,
        )
