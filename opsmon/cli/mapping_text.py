"""Formats the mapping of a restore's groups as plain text for the command."""

from __future__ import annotations

import datetime as dt
from typing import Final

from opsmon.cli.restore_text import coming, restore_name
from opsmon.output import table
from screens.text.format import coarse_span, count, several
from store.intune.restore_mapping_page import MappedGroup, MappingPage
from store.runs.restore_review import Review

_DECISIONS: Final = {"map": "map", "skip": "left out", "unresolved": "unresolved"}
_FOUND: Final = {"id": "the same id", "name": "the same name", "choice": "chosen"}


def mapping_text(page: MappingPage, review: Review, max_age: float) -> str:
    """The groups with the decisions on them, below how old the directory is that they are taken from."""
    parts = [f"Groups of {restore_name(page.restore)}", _directory(page, review.now)]
    parts += ["", _table(page) if page.groups else "Its objects name no groups.", ""]
    if page.unresolved:
        parts.append(f"{several(page.unresolved, 'group')} unresolved, which blocks the restore.")
    return "\n".join([*parts, coming(review, max_age)])


def _directory(page: MappingPage, now: dt.datetime) -> str:
    tenant = page.restore.tenant
    refresh = f"'opsmon start directory_groups.sync --tenant {tenant}' refreshes it."
    if page.read_at is None:
        return f"From the cached directory of {tenant}, which was never read: {refresh}"
    whole = "" if page.complete_at else ", never to its end"
    many, read = count(page.counted.many), coarse_span((now - page.read_at).total_seconds())
    return f"From the cached directory of {tenant}, {many} groups, read {read} ago{whole}: {refresh}"


def _table(page: MappingPage) -> str:
    headings = ("GROUP", "ID", "IS", "USES", "DECISION", "TARGET", "ID", "IS", "FOUND BY", "WHY")
    return table(headings, [_row(one) for one in page.groups], right=[3])


def _row(one: MappedGroup) -> tuple[object, ...]:
    found = one.decision
    by = _FOUND.get(found.found_by or "", "-") if found.decision == "map" else "-"
    if found.decided_by and found.decision != "unresolved":
        by = f"{found.decided_by}" if by == "-" else f"{by} by {found.decided_by}"
    return (
        *(found.source_name, found.source_id, _types(one.source_types), found.uses, _DECISIONS[found.decision]),
        *(found.target_name if found.target_id else None, found.target_id, _types(one.target_types), by),
        "; ".join(filter(None, [one.why, *one.warnings])) or "-",
    )


def _types(types: tuple[str, ...] | None) -> str:
    return "-" if types is None else ", ".join(types)
