"""Pictures of the inventory: kinds, policies, one policy, in every state that a person can meet."""

from __future__ import annotations

from dataclasses import replace

import pytest

from store.intune.browsed import Kinds, KindsWanted, PoliciesWanted, PolicyPage, PolicyWanted
from store.model.records import Count
from store.people.access import Membership, Role
from tests.screens.conftest import CONTOSO, HOSTILE, MEMBER, ago
from tests.screens.inventory.stage import DAY, KIND, LONG, NEWEST, PAGE, policy, stage
from tests.screens.pictures import Picture

TO_POLICIES = ("i", "enter")
TO_POLICY = (*TO_POLICIES, "enter")


def test_kinds(picture: Picture) -> None:
    assert picture(stage(), "i", in_ascii=True)


def test_no_inventory_yet(picture: Picture) -> None:
    assert picture(stage((KindsWanted("contoso"), Kinds(CONTOSO, ()))), "i")


def test_no_inventory_yet_for_one_who_may_only_look(picture: Picture) -> None:
    nothing = (KindsWanted("contoso"), Kinds(CONTOSO, ()))
    assert picture(stage(nothing, members=(Membership(CONTOSO, Role.READONLY),)), "i", "s", sizes=((80, 24),))


def test_which_tenant(picture: Picture) -> None:
    assert picture(stage(members=MEMBER), "i", sizes=((80, 24),))


def test_policies(picture: Picture) -> None:
    assert picture(stage(), *TO_POLICIES, in_ascii=True)


def test_policies_on_a_narrow_terminal(picture: Picture) -> None:
    assert picture(stage(), *TO_POLICIES, sizes=((40, 16), (60, 20)))


def test_policies_that_are_searched(picture: Picture) -> None:
    found = replace(PAGE, policies=PAGE.policies[:1], matching=Count(1))
    wanted = PoliciesWanted("contoso", KIND, "bit")
    assert picture(stage((wanted, found)), *TO_POLICIES, "slash", *"bit", "enter", "slash")


def test_no_policy_of_that_name(picture: Picture) -> None:
    nothing = (PoliciesWanted("contoso", KIND, "zz"), PolicyPage(CONTOSO, (), Count(0), None))
    assert picture(stage(nothing), *TO_POLICIES, "slash", *"zz", "enter", sizes=((80, 24),))


def test_policy(picture: Picture) -> None:
    assert picture(stage(), *TO_POLICY, in_ascii=True)


def test_policy_unfolded_further_down(picture: Picture) -> None:
    assert picture(stage(), *TO_POLICY, "z", "end")


def test_policy_that_changed(picture: Picture) -> None:
    assert picture(stage(), *TO_POLICY, "d", shows="lines added", in_ascii=True)


def test_policy_of_which_only_the_list_was_read(picture: Picture) -> None:
    assert picture(stage((PolicyWanted(1), policy())), *TO_POLICY, sizes=((80, 24),))


def test_policy_hostile_and_missing(picture: Picture) -> None:
    gone = policy(NEWEST, name=LONG, description=HOSTILE, platform=HOSTILE, external_id=HOSTILE)
    gone = replace(gone, missing_since=ago(30 * DAY))
    assert picture(stage((PolicyWanted(1), gone)), *TO_POLICY)


def test_policy_without_colour(picture: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert picture(stage(), *TO_POLICY, "d", shows="lines added", sizes=((80, 24),))
