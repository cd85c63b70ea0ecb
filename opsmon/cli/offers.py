"""What the shell is offered for a word of the command line: values, each with what is said beside it.

All that comes from the database is of the user's own tenants, newest first, and bounded.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import importlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from opsmon.cli.commands.session import Session
from opsmon.cli.parser import make_parser
from opsmon.output import Output
from store.sanitizer.sanitize import visible

#: Records that are read for offers.
MOST: Final = 50
#: Seconds until the database counts as away: somebody waits at a prompt.
DATABASE_SECONDS: Final = 2.0

Offers = Mapping[str, str]


@contextlib.contextmanager
def _session(given: argparse.Namespace) -> Iterator[Session]:
    from opsmon import settings
    from opsmon.services import Services

    session = Session(getattr(given, "as_login", None), Output())
    found = settings.load()
    quick = min(found.database_seconds, DATABASE_SECONDS)
    session.services = Services(dataclasses.replace(found, database_seconds=quick))
    with contextlib.closing(session):
        yield session


# ---- from the database


def runs(given: argparse.Namespace, terms: tuple[str, ...]) -> Offers:
    """The numbers of the newest runs that match the terms."""
    from screens.text.format import label

    with _session(given) as session:
        found = _newest(session, terms)
    return {str(run.id): visible(f"{run.type} {run.tenant} {label(run).lower()}") for run in found}


def _newest(session: Session, terms: tuple[str, ...]) -> tuple[Any, ...]:
    from store.people import access
    from store.search import pages
    from store.search.filter import parse
    from store.search.resolve import resolve_filter

    user = session.user
    with session.db.read() as connection:
        members = access.read_memberships(connection, user.id)
        plan = resolve_filter(connection, members, user.id, parse(terms))
        return tuple(pages.page(connection, plan, MOST).runs)


def tenants(given: argparse.Namespace) -> Offers:
    """The slugs of the user's tenants."""
    from store.people import access

    with _session(given) as session:
        found = access.memberships_of(session.db, session.user.id)
    return {one.tenant.slug: visible(one.tenant.name) for one in found}


def logins(given: argparse.Namespace) -> Offers:
    """The logins of those who share a tenant with the user."""
    from store.people import access

    with _session(given) as session:
        found = access.colleagues(session.db, session.user, MOST)
    return {one.login: visible(one.name) for one in found}


def sets(given: argparse.Namespace) -> Offers:
    """The numbers of the newest backup sets."""
    from store.intune import backup_sets
    from store.people import access

    with _session(given) as session:
        user = session.user
        with session.db.read() as connection:
            found = backup_sets.newest(connection, access.read_memberships(connection, user.id), MOST)
    return {str(one.id): visible(f"{one.tenant} {one.name} {one.state}") for one in found}


def schedules(given: argparse.Namespace) -> Offers:
    """The numbers of the schedules of the user's tenants."""
    from store.intune import schedules as store
    from store.people import access

    found: dict[str, str] = {}
    with _session(given) as session:
        for member in access.memberships_of(session.db, session.user.id)[:MOST]:
            for one in store.schedules_of(session.db, session.user, member.tenant.slug):
                found[str(one.id)] = visible(f"{one.tenant} {one.settings.name}")
    return found


def restores(given: argparse.Namespace) -> Offers:
    """The numbers of the newest restores."""
    from store.intune import restore_listing

    with _session(given) as session:
        found = restore_listing.listing(session.db, session.user, None, MOST)
    return {str(one.id): visible(f"{one.source_tenant} {one.tenant} {one.status.value}") for one in found}


#: Terms whose values are read; all others are known without a database.
_FROM_THE_DATABASE: Final = ("tenant", "by", "code")


def filters(prefix: str, given: argparse.Namespace) -> Offers:
    """Terms of the filter that go on from the prefix, as the screens' filter line has them; values only behind a name."""
    from screens.runs.completion import Known, known_from, suggestions

    name = prefix.lstrip("-!").partition(":")[0] if ":" in prefix else ""
    known = Known({"type": sorted(operations(given))} if name == "type" else {})
    if name in _FROM_THE_DATABASE:
        from store.people import access

        with _session(given) as session:
            members = access.memberships_of(session.db, session.user.id)
            slugs, found = [one.tenant.slug for one in members], _newest(session, ())
        known = known_from(found, slugs, (), None)
    # A word of the shell holds its blanks by itself; the shell quotes it.
    return {term.replace('"', ""): "" for term in suggestions(prefix, known)}


def audit_terms(prefix: str, given: argparse.Namespace) -> Offers:
    """Terms of the audit trail's filter; values only of what has few, behind the name."""
    from store.search import audit_filter

    sign = prefix[:1] if prefix[:1] in ("-", "!") else ""
    name, colon, _ = prefix.removeprefix(sign).partition(":")
    if not colon:
        names = {one: told for one, told in audit_filter.NAMES.items() if not (sign and one == "since")}
        return {f"{sign}{one}:": told for one, told in names.items()}
    return {f"{sign}{name}:{value}": told for value, told in _audit_values(name, given).items()}


def _audit_values(name: str, given: argparse.Namespace) -> Offers:
    from screens.text.audit_words import ACTIONS

    if name == "tenant":
        return tenants(given)
    if name == "run":
        return runs(given, ())
    return ACTIONS if name == "action" else {}


# ---- from what is installed


def operations(_: argparse.Namespace) -> Offers:
    """The types of the operations that can be started from here."""
    from tasks.sdk.registry import load_registry

    return {one.type: visible(one.label) for one in load_registry() if not one.only_from}


def parameters(prefix: str, given: argparse.Namespace) -> Offers:
    """The names of the operation's parameters with `=`; behind that, the values of one that has a choice."""
    from tasks.sdk.registry import load_registry

    name, equals, _ = prefix.partition("=")
    found = load_registry().operations.get(getattr(given, "type", None) or "")
    there = found.parameters if found else ()
    if not equals:
        return {f"{one.name}=": visible(one.help or "") for one in there}
    return {f"{name}={choice}": "" for one in there if one.name == name for choice in one.choices or ()}


def kinds() -> Offers:
    """The kinds of policy."""
    from tasks.graph.resources import BY_NAME

    return {name: one.label for name, one in BY_NAME.items()}


def zones() -> Offers:
    """The time zones of this host."""
    import zoneinfo

    return dict.fromkeys(sorted(zoneinfo.available_timezones()), "")


def ticks() -> Offers:
    """What can be agreed to of a restore."""
    return dict.fromkeys(("everybody", "no_actions", "downgrade"), "")


# ---- from the grammar


def commands(given: argparse.Namespace) -> Offers:
    """The commands below those that `opsmon help` was given."""
    parser = make_parser()
    for word in getattr(given, "words", None) or ():
        if word not in parser.commands():
            return {}
        parser = parser.commands()[word]
    return {name: one.description or "" for name, one in parser.commands().items()}


def columns(prog: str, prefix: str) -> Offers:
    """The columns of a command's list that go on from a prefix, which may hold some already."""
    module, _, name = _LISTS.get(prog.removesuffix(" list"), "").partition(":")
    if not module:
        return {}
    listing = getattr(importlib.import_module(f"opsmon.cli.{module}"), name)
    if callable(listing):
        listing = listing(_NOTHING)
    *before, _ = prefix.split(",")
    begun = "".join(f"{one}," for one in before)
    names = dict.fromkeys([*(one.field for one in listing.columns), *listing.fields])
    return {f"{begun}{name}": "" for name in names if name not in before}


#: What a list is made with of which only the columns are wanted.
_NOTHING: Final[Any] = {}
_LISTS: Final = {
    "opsmon runs": "run_text:runs_listing",
    "opsmon audit": "commands.audit:EVENTS",
    "opsmon notifications": "commands.inbox:notifications_listing",
    "opsmon operations": "commands.operations:OPERATIONS",
    "opsmon tenants": "commands.people:TENANTS",
    "opsmon users": "commands.people:users_listing",
    "opsmon members": "commands.people:MEMBERS",
    "opsmon backups": "backup_text:SETS",
    "opsmon schedules": "schedule_text:SCHEDULES",
    "opsmon restore": "restore_text:restores_listing",
}
