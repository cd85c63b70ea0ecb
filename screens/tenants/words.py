"""Words for a tenant's settings and its group search. Pure functions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Final

from screens.backend import CredentialsState
from screens.text.safe import clean, fit, wrap
from screens.text.times import AGES, TimeStyle
from screens.widgets.line_view import Line
from screens.widgets.row_diff import Cell
from store.intune.tenant_page import Member, TenantDetail
from store.intune.tenant_settings import ChosenGroup

#: Width of the column of names, in cells.
_NAMES: Final = 13


def lines(
    found: TenantDetail, health: CredentialsState | None, now: dt.datetime, width: int, times: TimeStyle = AGES
) -> Iterator[Line]:
    """The page of a tenant."""
    yield from _text("title", "", clean(found.tenant.name), width, "bold")
    yield from _text("slug", "Short name", found.tenant.slug, width)
    yield from _text("role", "Your role", found.role.value, width)
    style = "" if health is None or health.is_fine else "failed" if health.is_bad else "warn"
    yield from _text("health", "Credentials", health.words if health else "being looked at", width, style)
    read = f"read {times.ago(found.directory_read_at, now)}" if found.directory_read_at else "never read"
    yield from _text("directory", "Directory", f"cached groups, {read}", width)
    yield from _text("group", "RBAC group", group(found.rbac_group, now, times), width)
    yield Line("blank", ())
    many = f"{len(found.members)}{' and more' if found.has_more else ''}"
    yield Line("members", (Cell(f"Members: {many}", "bold"),))
    for member in found.members:
        yield Line(("member", member.login), (Cell(_member(member, width)),))


def group(chosen: ChosenGroup | None, now: dt.datetime, times: TimeStyle = AGES) -> str:
    """The group that was chosen, by whom and when."""
    if chosen is None:
        return "none chosen: e looks for one"
    name, who = clean(chosen.name) or "(without a name)", clean(chosen.chosen_by)
    return f"{name}, {clean(chosen.group_id)}; chosen by {who} {times.ago(chosen.chosen_at, now)}"


def _member(member: Member, width: int) -> str:
    return f"{fit(member.login, 20)} {fit(member.role.value, 9)} {fit(member.name, max(8, width - 31))}".rstrip()


def _text(key: str, name: str, text: str, width: int, style: str = "") -> Iterator[Line]:
    before = f"{name:<{_NAMES}}" if name else ""
    for number, part in enumerate(wrap(text, max(10, width - len(before)))):
        begun = Cell(before if not number else " " * len(before), "quiet")
        yield Line((key, number), (begun, Cell(part, style)))
