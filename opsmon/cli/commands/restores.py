"""`opsmon restore plan`, `list`, `preview`, `show`, `execute` and `continue`."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from typing import Any

from opsmon.cli.commands import runs
from opsmon.cli.commands.backups import visible_set
from opsmon.cli.commands.session import Session
from opsmon.cli.kind_names import known_kinds, label
from opsmon.cli.restore_text import (
    coming,
    impact,
    item_as_json,
    item_text,
    restore_name,
    restores_listing,
    review_as_json,
    review_text,
)
from opsmon.output import as_json, cell
from screens.text.format import several
from store.errors import InputInvalid, NotFound
from store.intune import backup_listing, restore_listing, restore_mapping_page, restores
from store.intune.restore_mapping_page import MappingPage
from store.intune.restore_records import Mode, RestoreState, Scope
from store.runs import restore_review, restoring
from store.runs.restore_review import Review
from store.runs.restoring import Confirmation
from store.sanitizer.sanitize import visible
from tasks.dispatch import Started


def list_restores(session: Session, arguments: argparse.Namespace) -> int:
    """Print the newest restores. Returns the exit code."""
    tenant, limit = getattr(arguments, "tenant", None), getattr(arguments, "limit", 50)
    found = restore_listing.listing(session.db, session.user, tenant, limit)
    results = restore_listing.results(session.db, session.user, [one.id for one in found])
    session.output.rows(restores_listing(results), found)
    return runs.DONE


def plan(session: Session, arguments: argparse.Namespace) -> int:
    """Plan a restore. Returns the exit code."""
    scope = Scope(known_kinds(arguments.kinds) or None, _items(session, arguments.set_id, arguments.items))
    mode: Mode = "update" if arguments.update else "create"
    restore = restoring.plan(
        session.db, session.user, arguments.set_id, arguments.tenant, scope, mode, arguments.reason
    )
    review, page = look(session, restore.id), mapping(session, restore.id)
    kinds = Counter(one.kind for one in review.items)
    groups = Counter(str(one.decision.decision) for one in page.groups)
    shown = {**as_json(restore), "objects": dict(kinds), "groups": dict(groups), "next": _next(session, review)}
    session.output.show(shown, lambda: "\n".join([*_planned(review, kinds, groups), _next(session, review)]))
    return runs.DONE


def _items(session: Session, set_id: int, given: Sequence[int | str]) -> tuple[int, ...] | None:
    """The numbers of the items of a set; those given by a policy's id are looked up. Raises NotFound and InputInvalid."""
    named = {one.lower() for one in given if isinstance(one, str)}
    found = {one for one in given if isinstance(one, int)}
    if named:
        items = backup_listing.all_items(session.db, visible_set(session, set_id).id)
        by_id = [(one.external_id.lower(), one.id) for one in items if one.external_id.lower() in named]
        if unknown := named - {id_ for id_, _ in by_id}:
            raise InputInvalid(
                f"backup set {set_id} has no policy '{visible(min(unknown)[:64])}'",
                f"'opsmon backups show {set_id} --json' lists them",
            )
        found |= {number for _, number in by_id}
    return tuple(sorted(found)) or None


def _planned(review: Review, kinds: Counter[str], groups: Counter[str]) -> list[str]:
    objects = ", ".join(f"{many} {label(kind)}" for kind, many in sorted(kinds.items()))
    suggested, unresolved = groups["map"], groups["unresolved"]
    return [
        f"Planned {restore_name(review.restore)}, of backup set {review.restore.backup_set_id}: "
        f"{several(len(review.items), 'object')} ({objects}).",
        f"Groups: {suggested} suggested, {unresolved} unresolved.",
    ]


def preview(session: Session, arguments: argparse.Namespace) -> int:
    """Start the preview of a restore, as `opsmon start` does; once it was waited for, show it. Returns the exit code."""
    started = session.services.dispatcher.preview_restore(session.user, arguments.restore_id)
    return _receipt(session, arguments, started)


def show(session: Session, arguments: argparse.Namespace) -> int:
    """Print a restore, or one of its items. Returns the exit code."""
    review = look(session, arguments.restore_id)
    if arguments.item_id is None:
        shown = _shown(session, review, every=arguments.all)
        session.output.show(shown.json, lambda: shown.text)
        return runs.DONE
    item = next((one for one in review.items if one.id == arguments.item_id), None)
    if item is None:
        raise NotFound(
            f"restore {review.restore.id} has no item {arguments.item_id}",
            f"'opsmon restore show {review.restore.id} --all' lists them",
        )
    session.output.show(item_as_json(item), lambda: item_text(item))
    return runs.DONE


def execute(session: Session, arguments: argparse.Namespace) -> int:
    """Execute a previewed restore, as a dry run unless it is for real. Returns the exit code."""
    confirmed = Confirmation(arguments.tenant_name, arguments.reviewed, dry_run=not arguments.for_real)
    restores.changeable(session.db, session.user, arguments.restore_id)
    _require_confirmed(look(session, arguments.restore_id), confirmed)
    started = session.services.dispatcher.execute_restore(
        session.user, arguments.restore_id, confirmed, max_age(session)
    )
    return _receipt(session, arguments, started)


def _require_confirmed(review: Review, confirmed: Confirmation) -> None:
    """Raises InputInvalid, with the impact, for what the store refuses without it. Other reasons are the store's."""
    found = review.restore
    if found.status is not RestoreState.PREVIEWED or review.blocking or review.wanted:
        return
    name = cell(found.tenant_name)
    if not confirmed.reviewed:
        hint = f"'opsmon restore show {found.id} --all' lists it; then give --reviewed and --tenant-name"
        raise InputInvalid(f"the impact was not reviewed ({impact(review)})", hint)
    if not confirmed.tenant_name.strip():
        raise InputInvalid(f"the tenant was not named ({impact(review)})", f"give --tenant-name '{name}'")
    if confirmed.tenant_name.strip() != found.tenant_name.strip():
        given = visible(confirmed.tenant_name[:64])
        raise InputInvalid(f"'{given}' is not the name of the tenant ({impact(review)})", f"it is '{name}'")


def resume(session: Session, arguments: argparse.Namespace) -> int:
    """Go on with what waited for approval. Returns the exit code."""
    started = session.services.dispatcher.continue_restore(session.user, arguments.restore_id)
    return _receipt(session, arguments, started)


# ---- parts


def look(session: Session, restore_id: int) -> Review:
    """The restore as it stands. Raises NotFound."""
    return restore_review.review(session.db, session.user, restore_id)


def mapping(session: Session, restore_id: int) -> MappingPage:
    """The decisions on the groups of a restore. Raises NotFound."""
    user, now = session.user, look(session, restore_id).now
    with session.db.read() as connection:
        return restore_mapping_page.page(connection, restores.read_visible(connection, user.id, restore_id), now)


def max_age(session: Session) -> float:
    """Seconds for which a preview can be executed."""
    return session.services.settings.restore_preview_seconds


def show_changed(session: Session, restore_id: int) -> int:
    """Print a restore that was changed, with what comes next. Returns the exit code."""
    shown = _shown(session, look(session, restore_id), every=False)
    session.output.show(shown.json, lambda: shown.text)
    return runs.DONE


def _receipt(session: Session, arguments: argparse.Namespace, started: Started) -> int:
    def more() -> runs.More:
        shown = _shown(session, look(session, arguments.restore_id), every=False)
        return runs.More({"restore": shown.json}, shown.text)

    return runs.show_receipt(session, started, arguments.wait, more)


def _shown(session: Session, review: Review, *, every: bool) -> runs.More:
    json: dict[str, Any] = review_as_json(review, max_age(session))
    return runs.More(json, review_text(review, max_age(session), every=every))


def _next(session: Session, review: Review) -> str:
    return coming(review, max_age(session))
