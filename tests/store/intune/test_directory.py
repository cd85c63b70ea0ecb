"""The cached directory: what rounds bring is what it says, silence means nothing, and names are found by their words."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from store.db.engine import Database
from store.intune import directory, folding, group_search
from store.intune.directory import Changes
from store.intune.group_search import DirectoryGroup
from store.model.records import Count, Run, Tenant
from store.model.tables import directory_group_words, directory_groups, directory_state
from tests.support import people
from tests.support.properties import examples


@pytest.fixture
def run(db: Database, tenant: Tenant) -> Run:
    return people.start_run(db, tenant)


def group(number: int, name: str | None = None, **more: Any) -> dict[str, Any]:
    return {"id": f"g{number}", "displayName": name or f"Group {number}", **more}


def full(db: Database, run: Run, *pages: list[dict[str, Any]], link: str = "link") -> int:
    """A complete round with these pages. Returns what it removed for not being there."""
    number = directory.begin_round(db, run.tenant_id, run.id)
    for page in pages:
        directory.apply(db, run.tenant_id, number, page)
    return directory.end_round(db, run.tenant_id, run.id, number, link, complete=True)


def changed(db: Database, run: Run, page: list[dict[str, Any]], link: str = "later") -> Changes:
    number = directory.state(db, run.tenant_id).round
    changes = directory.apply(db, run.tenant_id, number, page)
    directory.end_round(db, run.tenant_id, run.id, number, link, complete=False)
    return changes


def names(db: Database, tenant: Tenant) -> dict[str, str]:
    """The groups that are there."""
    query = sa.select(directory_groups.c.group_id, directory_groups.c.display_name).where(
        directory_groups.c.tenant_id == tenant.id, directory_groups.c.removed_at.is_(None)
    )
    with db.read() as connection:
        return {row[0]: row[1] for row in connection.execute(query)}


def reasons(db: Database) -> dict[str, str]:
    query = sa.select(directory_groups.c.group_id, directory_groups.c.removed_reason).where(
        directory_groups.c.removed_at.is_not(None)
    )
    with db.read() as connection:
        return {row[0]: row[1] for row in connection.execute(query)}


def older(db: Database, table: sa.Table, column: str, days: float) -> None:
    """Make an instant of all rows older."""
    earlier = f"{column} - interval '{days} days'"
    if db.is_sqlite:
        earlier = f"strftime('%Y-%m-%d %H:%M:%f', {column}, '-{days} days')"
    with db.write() as connection:
        connection.exec_driver_sql(f"UPDATE {table.name} SET {column} = {earlier}")


def searched(db: Database, tenant: Tenant, text: str, limit: int = 100) -> list[DirectoryGroup]:
    with db.read() as connection:
        return group_search.search(connection, tenant.id, text, limit)


def found(db: Database, tenant: Tenant, text: str) -> list[str]:
    return [one.name for one in searched(db, tenant, text)]


# ---- rounds


def test_a_round_brings_changes_and_removals_and_silence_means_nothing(db: Database, tenant: Tenant, run: Run) -> None:
    full(db, run, [group(number) for number in range(1, 60)], [], [group(1)])
    assert len(names(db, tenant)) == 59
    page = [
        group(1, "Neu "),
        {"id": "g2", "@removed": {"reason": "changed"}},
        {"id": "g3", "@removed": {"reason": "deleted"}},
        {"id": "never known", "@removed": {"reason": "deleted"}},
        group(1, "Neu "),
    ]
    assert changed(db, run, page) == Changes(1, 2)
    assert names(db, tenant)["g1"] == "Neu ", "the blank at the end belongs to the name"
    assert reasons(db) == {"g2": "changed", "g3": "deleted"}
    assert len(names(db, tenant)) == 57
    with db.read() as connection:
        known = group_search.by_group_ids(connection, tenant.id, ["g2", "g3", "nobody"])
    assert {id_: one.name for id_, one in known.items()} == {"g2": "Group 2", "g3": "Group 3"}


def test_ninety_one_days_of_silence_remove_nobody(db: Database, tenant: Tenant, run: Run) -> None:
    full(db, run, [group(1), group(2), group(3)])
    changed(db, run, [{"id": "g3", "@removed": {"reason": "deleted"}}])
    for column in ("first_seen_at", "changed_at", "removed_at"):
        older(db, directory_groups, column, 91)
    assert directory.purge(db, tenant.id) == 1
    assert sorted(names(db, tenant)) == ["g1", "g2"]
    with db.read() as connection:
        rows = connection.execute(sa.select(sa.func.count()).select_from(directory_group_words)).scalar_one()
    assert rows == 4, "the words of a group go with it"


def test_a_removed_group_is_kept_for_ninety_days_and_may_come_back(db: Database, tenant: Tenant, run: Run) -> None:
    full(db, run, [group(1), group(2)])
    changed(db, run, [{"id": "g1", "@removed": {"reason": "changed"}}])
    older(db, directory_groups, "removed_at", 89)
    assert directory.purge(db, tenant.id) == 0
    changed(db, run, [{"id": "g1"}])
    assert names(db, tenant) == {"g1": "Group 1", "g2": "Group 2"}


def test_what_a_complete_round_does_not_bring_is_removed(db: Database, tenant: Tenant, run: Run) -> None:
    full(db, run, [group(1), group(2)])
    changed(db, run, [group(3)])
    assert full(db, run, [group(1), group(3)]) == 1
    assert reasons(db) == {"g2": "unseen"}
    number = directory.begin_round(db, tenant.id, run.id)
    directory.apply(db, tenant.id, number, [group(1)])
    assert sorted(names(db, tenant)) == ["g1", "g3"], "a round that was not read to its end removes nobody"


def test_an_absent_property_did_not_change(db: Database, tenant: Tenant, run: Run) -> None:
    whole = group(
        1,
        description="About",
        groupTypes=["Unified", "DynamicMembership"],
        securityEnabled=True,
        mailEnabled=True,
        membershipRule="user.department -eq 1",
        onPremisesSyncEnabled=None,
    )
    full(db, run, [whole])
    changed(db, run, [{"id": "g1", "displayName": "Renamed"}])
    (one,) = searched(db, tenant, "ren")
    assert (one.name, one.description, one.types) == ("Renamed", "About", ("microsoft365", "dynamic"))
    assert (one.mail_enabled, one.security_enabled) == (True, True)
    changed(db, run, [{"id": "g1", "groupTypes": [], "onPremisesSyncEnabled": True, "description": None}])
    (one,) = searched(db, tenant, "ren")
    assert (one.description, one.types) == (None, ("synced",))
    changed(db, run, [{"id": "g1", "groupTypes": None, "onPremisesSyncEnabled": False}])
    assert searched(db, tenant, "ren")[0].types == ("assigned",)


def test_a_link_is_used_for_six_days(db: Database, tenant: Tenant, run: Run) -> None:
    assert directory.state(db, tenant.id) == directory.DirectoryState()
    full(db, run, [group(1)])
    assert directory.state(db, tenant.id).link == "link"
    older(db, directory_state, "delta_link_at", 5.9)
    assert directory.state(db, tenant.id).link == "link"
    older(db, directory_state, "delta_link_at", 0.2)
    state = directory.state(db, tenant.id)
    assert (state.link, state.round) == ("", 1)
    assert state.complete_at is not None


def test_a_run_that_was_given_up_does_not_put_its_link_over_that_of_a_later_one(
    db: Database, tenant: Tenant, run: Run
) -> None:
    late = people.start_run(db, tenant)
    old = directory.begin_round(db, tenant.id, run.id)
    directory.apply(db, tenant.id, old, [group(1)])
    full(db, late, [group(1), group(2)], link="of the later")
    assert directory.end_round(db, tenant.id, run.id, old, "of the given up", complete=True) == 0
    assert directory.state(db, tenant.id).link == "of the later"
    assert sorted(names(db, tenant)) == ["g1", "g2"]


def test_a_page_of_a_run_that_was_given_up_removes_nobody(db: Database, tenant: Tenant, run: Run) -> None:
    """It comes late, with the number of its own round, between the pages of a later complete one and its end."""
    late = people.start_run(db, tenant)
    old = directory.begin_round(db, tenant.id, run.id)
    new = directory.begin_round(db, tenant.id, late.id)
    directory.apply(db, tenant.id, new, [group(1), group(2)])
    directory.apply(db, tenant.id, old, [group(1)])
    assert directory.end_round(db, tenant.id, late.id, new, "link", complete=True) == 0
    assert sorted(names(db, tenant)) == ["g1", "g2"]


def test_tenants_have_directories_of_their_own(db: Database, tenant: Tenant, run: Run) -> None:
    other = people.make_tenant(db)
    full(db, run, [group(1, "Ours")])
    full(db, people.start_run(db, other), [group(1, "Theirs")])
    assert (found(db, tenant, "o"), found(db, other, "t")) == (["Ours"], ["Theirs"])
    assert found(db, tenant, "theirs") == []


OBJECTS = st.one_of(
    st.builds(group, st.integers(0, 5), st.sampled_from(["Köln ", "koln", "A B", "", "🔒"])),
    st.builds(
        lambda number, reason: {"id": f"g{number}", "@removed": {"reason": reason}},
        st.integers(0, 5),
        st.sampled_from(["changed", "deleted"]),
    ),
    st.builds(lambda number: {"id": f"g{number}", "description": "x"}, st.integers(0, 5)),
)
ROUNDS = st.lists(st.tuples(st.booleans(), st.lists(st.lists(OBJECTS, max_size=4), min_size=1, max_size=3)), max_size=4)


@examples(25)
@given(rounds=ROUNDS)
def test_whatever_rounds_bring_the_cache_is_what_they_say(
    db: Database, rounds: list[tuple[bool, list[list[dict[str, Any]]]]]
) -> None:
    """Against a model: a mapping of what is there."""
    tenant = people.make_tenant(db)
    run = people.start_run(db, tenant)
    there: dict[str, str] = {}
    ever: dict[str, str] = {}
    for complete, pages in rounds:
        seen: set[str] = set()
        for item in (item for page in pages for item in page):
            id_ = item["id"]
            if "@removed" in item:
                there.pop(id_, None)
                seen.discard(id_)
                continue
            seen.add(id_)
            ever[id_] = there[id_] = item.get("displayName", ever.get(id_, id_))
        if complete:
            there = {id_: name for id_, name in there.items() if id_ in seen}
            full(db, run, *pages)
        else:
            number = directory.state(db, tenant.id).round
            for page in pages:
                directory.apply(db, tenant.id, number, page)
        assert names(db, tenant) == there
    for id_, name in there.items():
        text = folding.words_of(name)
        if text:
            assert id_ in {one.group_id for one in searched(db, tenant, text[0])}


# ---- searching


def test_names_are_found_by_the_beginnings_of_their_words(db: Database, tenant: Tenant, run: Run) -> None:
    all_names = ["Sales Berlin", "Presales (Köln)", "Köln-Süd Sales", "Sales Berlin", "Åre", "🔒", "Straße", "x" * 230]
    full(db, run, [group(number, name) for number, name in enumerate(all_names)])
    assert sorted(found(db, tenant, "sales")) == ["Köln-Süd Sales", "Sales Berlin", "Sales Berlin"]
    assert found(db, tenant, "ber sal") == ["Sales Berlin", "Sales Berlin"]
    assert sorted(found(db, tenant, "KOLN")) == ["Köln-Süd Sales", "Presales (Köln)"]
    assert found(db, tenant, "köln s") == ["Köln-Süd Sales"]
    assert found(db, tenant, "are") == ["Åre"]
    assert found(db, tenant, "strasse") == ["Straße"]
    assert found(db, tenant, "🔒") == ["🔒"]
    assert found(db, tenant, "x" * 60) == ["x" * 230]
    assert found(db, tenant, "ales") == []
    assert found(db, tenant, "%") == found(db, tenant, "_") == found(db, tenant, "'; --") == []
    assert len(found(db, tenant, "")) == len(all_names)
    assert len(found(db, tenant, "\u0301")) == len(all_names), "an accent alone is no word"


def test_a_search_without_a_bound_stops_at_its_limit(db: Database, tenant: Tenant, run: Run) -> None:
    full(db, run, [group(number, f"All users {number}") for number in range(300)])
    assert len(searched(db, tenant, "all us", 100)) == 100
    assert len(searched(db, tenant, "", 7)) == 7
    with db.read() as connection:
        assert group_search.count(connection, tenant.id, 1000) == Count(300)
        assert group_search.count(connection, tenant.id, 200) == Count(200, True)


def test_a_renamed_group_is_found_by_its_new_name_only(db: Database, tenant: Tenant, run: Run) -> None:
    full(db, run, [group(1, "Old name")])
    changed(db, run, [group(1, "New name")])
    assert (found(db, tenant, "old"), found(db, tenant, "new")) == ([], ["New name"])
    changed(db, run, [{"id": "g1", "@removed": {"reason": "deleted"}}])
    assert found(db, tenant, "new") == []
