"""`opsmon restore map`: lists the groups of a restore, and takes the decisions on them."""

from __future__ import annotations

import argparse

from opsmon.cli.commands import runs
from opsmon.cli.commands.restores import look, mapping, max_age
from opsmon.cli.commands.session import Session
from opsmon.cli.mapping_text import mapping_text
from opsmon.output import as_json
from store.errors import InputInvalid
from store.intune import restore_naming, restores
from store.intune.restore_mapping_page import MappingPage
from store.intune.restore_mappings import Decision
from store.runs import restoring


def decide(session: Session, arguments: argparse.Namespace) -> int:
    """Store decisions on groups, all of them or none, and list how the groups stand. Returns the exit code."""
    number, db, user = arguments.restore_id, session.db, session.user
    decisions = _decisions(session, arguments)
    if arguments.suggest:
        restoring.suggest(db, user, number)
    if arguments.skip_unresolved:
        decisions += _left(mapping(session, number), {one.source_id for one in decisions})
    if decisions:
        restoring.decide(db, user, number, decisions)
    page, review = mapping(session, number), look(session, number)
    session.output.show(
        {**as_json(page), "unresolved": page.unresolved}, lambda: mapping_text(page, review, max_age(session))
    )
    return runs.DONE


def _decisions(session: Session, arguments: argparse.Namespace) -> list[Decision]:
    """What is decided on single groups. Raises NotFound, Forbidden, and InputInvalid for a group or a target that is none."""
    if not (arguments.maps or arguments.skips or arguments.unresolves or arguments.skip_unresolved):
        return []
    restore = restores.changeable(session.db, session.user, arguments.restore_id)
    groups = [one.decision for one in mapping(session, restore.id).groups]
    pairs = [restore_naming.pair(groups, text) for text in arguments.maps]
    with session.db.read() as connection:
        known = restore_naming.targets(connection, restore, [target for _, target in pairs])
    made = [Decision(id_, "map", known[target]) for id_, target in pairs]
    made += [Decision(restore_naming.source(groups, text), "skip") for text in arguments.skips]
    made += [Decision(restore_naming.source(groups, text), "unresolved") for text in arguments.unresolves]
    _require_one_each(made)
    return made


def _left(page: MappingPage, decided: set[str]) -> list[Decision]:
    groups = [one.decision for one in page.groups]
    left = [one for one in groups if one.decision == "unresolved" and one.source_id not in decided]
    return [Decision(one.source_id, "skip") for one in left]


def _require_one_each(decisions: list[Decision]) -> None:
    ids = [one.source_id for one in decisions]
    if twice := [id_ for id_ in ids if ids.count(id_) > 1]:
        raise InputInvalid(f"group {twice[0]!r} is decided on twice", "give one decision for each group")
