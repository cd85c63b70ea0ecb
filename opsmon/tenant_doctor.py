"""The checks of `opsmon doctor --tenant SLUG`: credentials, sign-in, and what the app can read. Only reads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, get_args

from opsmon.findings import Finding, State
from opsmon.services import Services
from screens.text.format import instant
from store.errors import OperationFailed, OpsmonError
from store.model.records import Outcome, Run, User
from store.people import access
from store.search import pages
from store.search.filter import ANY_TIME, RunFilter
from store.search.resolve import resolve_filter
from tasks.graph.credentials import CredentialHealth, credential_health
from tasks.graph.resource import KindName
from tasks.graph.resources import NOT_READ

if TYPE_CHECKING:
    from tasks.graph.checkup import ReadCheck

#: Operations that sign in: the success of one proves that the credentials worked.
SYNCS: Final = ("inventory.sync", "policy.sync", "directory_groups.sync")
#: Names of the checks beside those of kinds, behind the tenant's slug and a slash.
_CREDENTIALS: Final = "credentials"
_SIGN_IN: Final = "sign-in"
_OBJECTS: Final = "objects"
_PERMISSIONS: Final = "permissions"
_NOT_READ: Final = "not-read"
_ENDS: Final = {
    "secret": "a client secret; its end is not known here: see the app registration",
    "assertion": "a federated token, read anew at each sign-in",
}


def width(tenants: Sequence[str]) -> int:
    """The columns that the longest name of a check takes, in characters."""
    return max(map(len, tenants), default=0) + 1 + max(map(len, get_args(KindName)))


def examine(services: Services, user: User, slug: str) -> Iterator[Finding]:
    """Yield the findings about a tenant that the user may view, one by one. Errors become findings."""
    settings = services.settings
    health = credential_health(slug, settings.credentials, dt.datetime.now(dt.UTC))
    yield _credentials(services, user, slug, health)
    if health.problem:
        yield from _skipped(slug, "the credentials cannot be used", _SIGN_IN, _OBJECTS)
    else:
        yield from _signed_in(services, slug)
    names = ", ".join(NOT_READ)
    yield Finding(f"{slug}/{_NOT_READ}", State.OK, f"opsmon does not look at everything, for example at {names}")


def _skipped(slug: str, why: str, *names: str) -> Iterator[Finding]:
    return (Finding(f"{slug}/{name}", State.SKIPPED, why) for name in names)


# ---- credentials


def _credentials(services: Services, user: User, slug: str, health: CredentialHealth) -> Finding:
    found = _health(slug, health)
    return found if health.problem else replace(found, message=found.message + _last_success(services, user, slug))


def _health(slug: str, health: CredentialHealth) -> Finding:
    name = f"{slug}/{_CREDENTIALS}"
    if health.problem:
        return Finding(name, State.BAD, health.problem)
    warning = health.warning(dt.datetime.now(dt.UTC))
    told = warning or _ENDS.get(health.kind) or f"a certificate, until {instant(health.expires_at, 'Z')}"
    return Finding(name, State.WARNING if warning else State.OK, told)


def credentials(services: Services, slug: str) -> Finding:
    """The health of a tenant's credentials. Reads files and may run commands; signs nobody in."""
    return _health(slug, credential_health(slug, services.settings.credentials, dt.datetime.now(dt.UTC)))


def _last_success(services: Services, user: User, slug: str) -> str:
    """When a sync last succeeded, as the end of a sentence; empty if that is not known."""
    try:
        run = _last_sync(services, user, slug)
    except OpsmonError:  # the checks of the database say so
        return ""
    return f"; they last worked at {instant(run.completed_at, 'Z')}, in run {run.id}" if run else ""


def _last_sync(services: Services, user: User, slug: str) -> Run | None:
    outcomes = (Outcome.SUCCEEDED, Outcome.PARTIALLY_SUCCEEDED)
    wanted = RunFilter(types=SYNCS, outcomes=outcomes, tenants=(slug,), since=ANY_TIME)
    with services.db.read() as connection:
        members = access.read_memberships(connection, user.id)
        found = pages.page(connection, resolve_filter(connection, members, user.id, wanted), 1).runs
    return found[0] if found else None


# ---- sign-in, and what can be read


def _signed_in(services: Services, slug: str) -> Iterator[Finding]:
    from tasks.graph import checkup, session  # httpx: only who asks for a tenant pays for it

    settings = services.settings
    try:
        addresses = (settings.graph_url, settings.graph_authority)
        with session.signed_in(slug, settings.credentials, *addresses, limits=checkup.QUICK) as graph:
            yield Finding(f"{slug}/{_SIGN_IN}", State.OK, "the app signs in")
            yield from _objects(slug, checkup.read_each(graph))
    except OperationFailed as error:
        yield Finding(f"{slug}/{_SIGN_IN}", State.BAD, str(error))
        yield from _skipped(slug, "the app does not sign in", _OBJECTS)


def _objects(slug: str, checks: Iterable[ReadCheck]) -> Iterator[Finding]:
    """One finding for each kind and for groups, then one for each permission that is missing."""
    made = []
    for check in checks:
        made.append(check)
        yield _object(slug, check)
    yield from missing_findings(slug, made)


def missing_findings(slug: str, checks: Sequence[ReadCheck]) -> Iterator[Finding]:
    """One finding for each permission that the app of a tenant lacks, with what it is for."""
    from tasks.graph.checkup import missing_permissions

    for permission, subjects in missing_permissions(checks).items():
        names = ", ".join(subject.label for subject in subjects)
        yield Finding(f"{slug}/{_PERMISSIONS}", State.BAD, f"{permission} is missing: {names}")


def _object(slug: str, check: ReadCheck) -> Finding:
    state = State.OK if check.ok else State.BAD if check.was_tried else State.SKIPPED
    told = f"{check.subject.label}: {check.words}" if check.words else f"{check.subject.label} can be read"
    return Finding(f"{slug}/{check.subject.name}", state, told)
