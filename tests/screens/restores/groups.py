"""Groups of restores for the screens to look at, and a cached directory to search in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from store.intune.directory_page import Counted, DirectoryWanted
from store.intune.restore_mapping_page import MappedGroup, MappingPage
from store.intune.restore_mapping_poll import MappingFound, MappingWanted
from store.intune.restore_page import ListedRestore
from store.intune.restore_records import Mapped
from store.model.records import Count
from tests.screens.conftest import AT, HOSTILE, ago
from tests.screens.directory.stage import found, group
from tests.screens.inventory.stage import LONG
from tests.screens.restores.stage import HOUR, SCOPED, RestoresBackend, stage

NOBODY = "no group has this name"


def an_id(number: int) -> str:
    return f"a{number:07}-0000-4000-8000-000000000000"


def mapped(number: int, name: str | None, to: str, *, by: str = "name", **changed: Any) -> MappedGroup:
    """A group that is mapped to one of that name."""
    person = {"decided_by": "Ann Alba", "decided_at": ago(180)} if by == "choice" else {}
    made = Mapped(an_id(number), name, number, "map", f"b{an_id(number)[1:]}", to, by, **person)  # type: ignore[arg-type]
    return replace(MappedGroup(made, ("assigned",), ("assigned",)), **changed)


def unresolved(number: int, name: str | None, why: str = NOBODY, **changed: Any) -> MappedGroup:
    made = Mapped(an_id(number), name, number, "unresolved")
    return replace(MappedGroup(made, ("dynamic",), None, why), **changed)


def skipped(number: int, name: str) -> MappedGroup:
    made = Mapped(an_id(number), name, number, "skip", decided_by="Ann Alba", decided_at=ago(7200))
    return MappedGroup(made, ("microsoft365", "dynamic"))


DIFFER = "the types differ: dynamic and microsoft365 there, assigned here"
TWICE = "2 groups of the backup are mapped to this one"
GROUPS = (
    mapped(1, "All sales", "All sales", by="id"),
    mapped(2, "Interns ", "Interns "),
    unresolved(3, "Lisbon office", "2 groups have this name"),
    mapped(1204, "On-premises admins", "Admins", by="choice", source_types=("dynamic", "microsoft365"),
           warnings=(DIFFER, TWICE)),
    unresolved(5, "Pilot"),
    skipped(6, "Sales of all sorts"),
    mapped(7, " 漢字 🔒 מדיניות", "漢字", by="choice", target_types=None, warnings=("the group was removed since",)),
    unresolved(8, None, "its name is not known", source_types=None),
)  # fmt: skip
HOSTILES = (
    mapped(1, HOSTILE, HOSTILE, by="choice", warnings=(HOSTILE,)),
    unresolved(2, HOSTILE, f"the chosen group was removed: it was called {HOSTILE!r}"),
    mapped(3, LONG, LONG),
    unresolved(4, ""),
)
SALES = (group(31, "All sales", "dynamic"), group(32, "Sales of all sorts", "microsoft365", "dynamic"))


def mapping_of(one: ListedRestore, groups: Sequence[MappedGroup] = GROUPS, **changed: Any) -> MappingFound:
    """The groups of a restore into a tenant whose directory was read three hours ago."""
    page = MappingPage(
        one.restore, tuple(groups), Counted(Count(12_004), 1, None, AT), ago(3 * HOUR + 420), ago(24 * HOUR)
    )
    return MappingFound(one, replace(page, **changed))


def mapping_stage(one: ListedRestore = SCOPED, mapping: MappingFound | None = None, **changed: Any) -> RestoresBackend:
    """A backend that has the groups of a restore, and a directory that knows some names."""
    state = stage(**changed)
    state.restore_mapping = {MappingWanted(one.restore.id): mapping or mapping_of(one)}
    texts = {"Pilot": (), "Lisbon office": (SALES[1],), "": SALES, "s": SALES, "sa": SALES}
    state.directory = {DirectoryWanted("contoso", text): found(*groups) for text, groups in texts.items()}
    return state
