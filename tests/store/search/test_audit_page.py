"""The audit trail as its readers see it: what they may see, page by page, within a bound."""

from __future__ import annotations

from dataclasses import replace

import pytest

from store.db.engine import Database
from store.errors import NotFound
from store.model.records import Tenant, User
from store.people import access, admin, audit
from store.people.access import Role
from store.runs import lifecycle
from store.search import audit_page
from store.search.audit_filter import AuditWanted, parse_line
from store.search.audit_page import AuditPage
from store.snapshot import Request, take
from tests.support.people import FAILED, end_run, make_tenant, make_user, new_run, open_run


def page(db: Database, user: User, line: str = "", **changed: object) -> AuditPage:
    wanted = replace(parse_line(line), **changed)  # type: ignore[arg-type]
    with db.read() as connection:
        return audit_page.page(connection, access.read_memberships(connection, user.id), user.id, wanted)


def told(db: Database, user: User, line: str = "", **changed: object) -> list[tuple[str, str]]:
    return [(one.action, one.subject) for one in page(db, user, line, **changed).events]


def add(db: Database, tenant: Tenant | None, action: str, subject: str, user: User | None = None) -> None:
    with db.write() as connection:
        audit.record(
            connection,
            action,
            subject,
            login=user.login if user else "root",
            user_id=user.id if user else None,
            tenant_id=tenant.id if tenant else None,
        )


def test_starts_and_retries_are_events_of_their_runs(db: Database, tenant: Tenant, user: User) -> None:
    run = end_run(db, open_run(db, tenant, user, "a"), FAILED)
    retry, _ = lifecycle.create_or_attach(db, new_run(tenant, user, "a", retry_of_id=run.id))
    _, is_new = lifecycle.create_or_attach(db, new_run(tenant, user, "a", retry_of_id=run.id))
    assert not is_new, "what joins a run starts none"
    found = page(db, user, f"run:{run.id},{retry.id}").events
    assert sorted((one.subject, one.action, one.run_id) for one in found) == [
        (f"run {run.id}", "run.retried", run.id),
        (f"run {run.id}", "run.started", run.id),
        (f"run {retry.id}", "run.started", retry.id),
    ]
    details = {(one.action, one.run_id): one.detail for one in found}
    assert details["run.retried", run.id] == {"run": retry.id}
    assert details["run.started", retry.id] == {"type": "inventory.sync", "retry_of": run.id}
    assert {(one.login, one.name, one.tenant) for one in found} == {(user.login, user.name, tenant.slug)}


def test_the_system_and_previews_start_nothing_that_is_audited(db: Database, tenant: Tenant, user: User) -> None:
    system, held = open_run(db, tenant), open_run(db, tenant, user, held=True)
    assert told(db, user, f"run:{system.id},{held.id}") == []


def test_only_ones_own_tenants_are_seen_and_what_concerns_none_by_owners(db: Database) -> None:
    mine, other = make_tenant(db), make_tenant(db)
    looker, owner = make_user(db, **{mine.slug: Role.READONLY}), make_user(db, **{mine.slug: Role.OWNER})
    add(db, mine, "x.mine", "a")
    add(db, other, "x.other", "b")
    add(db, None, "x.all", "c")
    add(db, None, "x.all", "own", looker)
    assert told(db, looker, "action:x.*") == [("x.all", "own"), ("x.mine", "a")]
    assert told(db, owner, "action:x.*") == [("x.all", "own"), ("x.all", "c"), ("x.mine", "a")]
    assert told(db, owner, f"action:x.* tenant:{mine.slug}") == [("x.mine", "a")]
    with pytest.raises(NotFound):
        page(db, owner, f"tenant:{other.slug}")
    hidden = open_run(db, other, owner)
    assert told(db, owner, f"run:{hidden.id}") == []
    assert told(db, make_user(db), "action:x.*") == []


def test_terms_narrow(db: Database, tenant: Tenant, user: User) -> None:
    other = make_user(db, **{tenant.slug: Role.OPERATOR})
    add(db, tenant, "x.one", "a", user)
    add(db, tenant, "y.two", "b", other)
    assert told(db, user, f"by:{other.login} action:*.*") == [("y.two", "b")]
    assert told(db, user, "action:x.*,z.*") == [("x.one", "a")]
    assert told(db, user, "since:1h action:y.two") == [("y.two", "b")]
    assert told(db, user, "since:2099-01-01") == []
    assert told(db, user, "action:x.one", within=tenant.slug) == [("x.one", "a")]


def test_terms_with_a_sign_before_them_leave_out(db: Database, tenant: Tenant, user: User) -> None:
    other = make_tenant(db)
    owner = make_user(db, **{tenant.slug: Role.OWNER, other.slug: Role.OWNER})
    add(db, tenant, "x.one", "a", user)
    add(db, other, "x.two", "b", owner)
    add(db, None, "x.three", "c")
    run = open_run(db, tenant, user)

    def subjects(line: str) -> str:
        return "".join(subject[0] for _, subject in told(db, owner, f"action:x.*,run.* {line}"))

    assert subjects("") == "rcba"
    assert subjects(f"-by:{user.login}") == "cb"
    assert subjects("-by:root") == "rba", "who is no user can be left out, and is no reason to leave others out"
    assert subjects("!by:*") == ""
    assert subjects("-action:x.*") == "r"
    assert subjects("-action:x.one !action:x.t*") == "r"
    assert subjects(f"-tenant:{tenant.slug}") == "cb", "what concerns no tenant is not of the one that is left out"
    assert subjects(f"tenant:{tenant.slug},{other.slug} -tenant:{tenant.slug}") == "b"
    assert subjects(f"tenant:{tenant.slug} -tenant:{tenant.slug}") == ""
    assert subjects(f"-run:{run.id}") == "cba", "an event of no run is of none that is left out"
    assert subjects(f"run:{run.id} -run:{run.id}") == ""
    assert subjects(f"run:{run.id} -by:{owner.login}") == "r"
    with pytest.raises(NotFound):
        page(db, user, f"-tenant:{other.slug}")


def test_terms_that_contradict_each_other_show_nothing(db: Database, tenant: Tenant, user: User) -> None:
    mine = make_tenant(db)
    looker = make_user(db, **{tenant.slug: Role.OWNER, mine.slug: Role.OWNER})
    hidden = open_run(db, make_tenant(db), user)
    for run in (hidden, open_run(db, tenant, user)):
        assert told(db, looker, f"tenant:{mine.slug} run:{run.id}", within=tenant.slug) == []
        assert told(db, looker, f"tenant:{mine.slug} -tenant:{mine.slug} run:{run.id}") == []


def test_names_are_found_whatever_their_letters_case(db: Database, tenant: Tenant) -> None:
    oezil = admin.add_user(db, f"oezil.{tenant.slug}", "Mesut Özil")
    admin.grant(db, oezil.login, tenant.slug, Role.OPERATOR)
    add(db, tenant, "x.y", "a", oezil)
    for line in ("by:*özil", "by:*ÖZIL", 'by:"mesut özil"'):
        assert told(db, oezil, f"action:x.y {line}") == [("x.y", "a")]
        assert told(db, oezil, f"action:x.y -{line}") == []


def test_page_by_page_every_event_comes_once(db: Database, tenant: Tenant, user: User) -> None:
    for number in range(7):
        add(db, tenant if number % 2 else None, "x.y", str(number), user)
    found, before = list[str](), None
    while True:
        one = page(db, user, "action:x.y", limit=3, before=before)
        found += [event.subject for event in one.events]
        before = one.next_before
        if before is None:
            break
    assert found == [str(number) for number in reversed(range(7))]


def test_what_is_rare_is_found_in_bounded_steps(
    db: Database, tenant: Tenant, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_page, "SCAN", 8)
    add(db, tenant, "x.rare", "a", user)
    for number in range(20):
        add(db, tenant, "x.often", str(number), user)
    first = page(db, user, "action:x.rare")
    assert (first.events, first.looked_back_to is not None) == ((), True)
    found, before = list[str](), first.next_before
    while before is not None:
        one = page(db, user, "action:x.rare", before=before)
        found += [event.subject for event in one.events]
        before = one.next_before
    assert found == ["a"]


def test_nothing_is_looked_for_before_the_time_that_is_wanted(
    db: Database, tenant: Tenant, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(12):
        add(db, tenant, "x.y", str(number), user)
    monkeypatch.setattr(audit_page, "SCAN", 4)
    none_since = page(db, user, "since:2099-01-01")
    assert (none_since.events, none_since.looked_back_to, none_since.next_before) == ((), None, None)
    all_since = page(db, user, "since:1h action:nothing.here")
    assert (all_since.looked_back_to is None, all_since.next_before is None) == (False, False)


def test_many_tenants_are_looked_through_along_the_whole_trail(
    db: Database, tenant: Tenant, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(db, tenant, "x.y", "a")
    add(db, make_tenant(db), "x.y", "b")
    every = told(db, user)
    monkeypatch.setattr(audit_page, "MOST_RANGES", 0)
    assert told(db, user) == every
    assert told(db, user, "action:x.y") == [("x.y", "a")]


def test_a_snapshot_brings_the_page_that_is_wanted(db: Database, tenant: Tenant, user: User) -> None:
    assert take(db, Request(user.id)).audit is None
    assert take(db, Request(user.id, audit=AuditWanted(tenants=("nowhere",)))).audit is None
    add(db, tenant, "x.y", "a")
    found = take(db, Request(user.id, audit=AuditWanted(actions=("x.*",)))).audit
    assert found
    assert [one.subject for one in found.events] == ["a"]
