"""Pictures of the cached directory, in every state that a person can meet."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from screens.monitor import Monitor
from store.intune.directory_page import DirectoryWanted
from store.model.records import Count
from store.people.access import Membership, Role
from tests.screens.conftest import CONTOSO, MEMBER
from tests.screens.directory.stage import GROUPS, HOSTILES, LONG, NOTHING, RULE, WANTED, found, stage
from tests.screens.pictures import Picture


def test_groups(picture: Picture) -> None:
    assert picture(stage(), "D", in_ascii=True)


def test_groups_on_a_narrow_terminal(picture: Picture) -> None:
    assert picture(stage(), "D", sizes=((40, 16), (60, 20)))


def test_no_groups_yet(picture: Picture) -> None:
    assert picture(stage((WANTED, NOTHING)), "D")


def test_no_groups_yet_for_one_who_may_only_look(picture: Picture) -> None:
    looking = (Membership(CONTOSO, Role.READONLY),)
    assert picture(stage((WANTED, NOTHING), members=looking), "D", sizes=((80, 24),))


def test_more_groups_than_are_listed(picture: Picture) -> None:
    many = found(*GROUPS, has_more=True, many=Count(100_000, at_least=True))
    assert picture(stage((WANTED, many)), "D", in_ascii=True)


def test_which_tenant(picture: Picture) -> None:
    assert picture(stage(members=MEMBER), "D", sizes=((80, 24),))


def test_a_search_that_has_been_answered(picture: Picture) -> None:
    assert picture(stage(), "D", "slash", *"sal", shows="'sal'")


def test_a_search_that_is_kept(picture: Picture) -> None:
    assert picture(stage(), "D", "slash", *"sal", "enter", shows="'sal'", sizes=((80, 24),))


def test_a_search_that_waits(picture: Picture) -> None:
    """The database has not answered any letter yet: the rows are those of before."""

    async def before(pilot: Any, monitor: Monitor) -> None:
        fetch = monitor.data.poller._fetch
        monitor.data.poller._fetch = lambda request: fetch(
            request if request.directory in {None, WANTED} else request.only_list()
        )

    assert picture(stage(), "D", "slash", *"sal", before=before, shows="Searching 'sal'.", sizes=((80, 24),))


def test_a_search_that_finds_nothing(picture: Picture) -> None:
    nothing = [(DirectoryWanted("contoso", text), found()) for text in ("z", "zz")]
    assert picture(stage(*nothing), "D", "slash", *"zz", shows="'zz'", sizes=((80, 24),))


def test_hostile_names(picture: Picture) -> None:
    assert picture(stage((WANTED, found(*HOSTILES))), "D")


def test_one_group(picture: Picture) -> None:
    assert picture(stage(), "D", "enter", in_ascii=True)


def test_one_hostile_group(picture: Picture) -> None:
    assert picture(stage((WANTED, found(*HOSTILES))), "D", "enter")


def test_one_group_with_more_than_fits(picture: Picture) -> None:
    long = replace(GROUPS[0], name=LONG, membership_rule=" or ".join([RULE] * 12))
    assert picture(stage((WANTED, found(long))), "D", "enter", "G", shows="First seen", sizes=((80, 24), (60, 20)))


def test_groups_without_colour(picture: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert picture(stage(), "D", sizes=((80, 24),))
