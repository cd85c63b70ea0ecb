"""A cached directory for the screens to look at."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from store.intune.directory_page import Counted, Directory, DirectoryWanted
from store.intune.group_search import DirectoryGroup
from store.model.records import Count, Tenant
from store.people.access import Membership, Role
from tests.screens.conftest import AT, CONTOSO, HOSTILE, FakeBackend, ago

DAY = 86_400
HOUR = 3_600
LONG = "Project " + "x" * 240
WANTED = DirectoryWanted("contoso")


def group(id_: int, name: str, *types: str, **changed: Any) -> DirectoryGroup:
    made = DirectoryGroup(
        id_, f"0f0e8a1c-0000-4000-8000-{id_:012}", name, None, types or ("assigned",), False, True, ago(id_ * DAY), None,
        None, ago(90 * DAY),
    )  # fmt: skip
    return replace(made, **changed)


RULE = '(user.department -eq "Sales") and (user.accountEnabled -eq true) and (user.country -in ["DE", "AT", "CH"])'
GROUPS = (
    group(1, "All sales", "dynamic", description="Everybody who sells, in all countries.", membership_rule=RULE),
    group(2, "Interns ", description="Ends with a blank."),
    group(3, "Interns"),
    group(4, "Lisbon office", "microsoft365", mail_enabled=True, security_enabled=False),
    group(5, "On-premises admins", "synced", "microsoft365", mail_enabled=True),
    group(6, "Sales of all sorts", "microsoft365", "dynamic", security_enabled=False),
    group(7, " 漢字 🔒 מדיניות"),
)
HOSTILES = (
    group(8, HOSTILE, description=HOSTILE, membership_rule=HOSTILE),
    group(9, LONG, description=LONG),
    group(10, ""),
)


def found(*groups: DirectoryGroup, many: Count | None = None, tenant: Tenant = CONTOSO, **changed: Any) -> Directory:
    """What a search brings of `many` groups."""
    counted = Counted(many or Count(12_004), tenant.id, None, AT)
    made = Directory(tenant, counted, ago(3 * HOUR), ago(2 * DAY), tuple(groups))
    return replace(made, **changed)


NOTHING = found(many=Count(0), read_at=None, complete_at=None)


def stage(*more: tuple[DirectoryWanted, Directory | None], **changed: Any) -> FakeBackend:
    """A backend with this directory. `more` replaces what is found, or with None takes it away."""
    known: dict[DirectoryWanted, Any] = {
        WANTED: found(*GROUPS),
        **{DirectoryWanted("contoso", "sal"[:length]): found(GROUPS[0], GROUPS[5]) for length in (1, 2, 3)},
        **dict(more),
    }
    member = changed.pop("members", (Membership(CONTOSO, Role.OWNER),))
    return FakeBackend(directory={wanted: one for wanted, one in known.items() if one}, members=member, **changed)
