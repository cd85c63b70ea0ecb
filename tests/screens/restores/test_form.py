"""The form of a restore: what it plans and changes, its errors at their fields, and that nothing typed is lost."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from textual.widgets import Button, Select, Static

from screens.backups.item import BackupItemScreen
from screens.backups.set import BackupSetScreen
from screens.backups.sets import BackupSetsScreen
from screens.monitor import Monitor
from screens.restores.draft import Draft, Subject
from screens.restores.form import RestoreForm
from screens.restores.restore import RestoreScreen
from screens.widgets.checkbox import Check, Checks
from store.intune.backup_page import ItemWanted
from store.intune.backup_records import BackupKind
from store.intune.backup_sets import BackupSetDetail, BackupSets, SetsWanted, SetWanted
from store.intune.restore_page import RestoreWanted
from store.intune.restore_records import Scope
from store.people.access import Membership, Role
from tests.screens.backups.stage import COMPLETE, ITEMS, LACKING, ONE, UNFINISHED
from tests.screens.conftest import CONTOSO, FABRIKAM, HOSTILE, polls, running, screen_lines
from tests.screens.pictures import Picture
from tests.screens.restores.driving import asked, calls, is_clean, last_toast, opened, pressed, question
from tests.screens.restores.stage import CHECKED, OWNER, Changes, RestoresBackend, detail_of, stage

pytestmark = pytest.mark.anyio

#: The kinds of the set; of the last one it has nothing.
KINDS = tuple(BackupKind(kind, many, many) for kind, many in (("compliance_policies", 3), ("scripts", 2), ("apps", 0)))
SETS = (COMPLETE, LACKING, UNFINISHED)
BOTH = (*OWNER, Membership(FABRIKAM, Role.MANAGER))
#: The keys from the list of runs to the form of the first set.
TO_FORM = ("B", "r")


def with_sets(*more: Any, name: str = "", **changed: Any) -> RestoresBackend:
    """A backend with backup sets of contoso, each of the kinds above."""
    sets = [replace(one, name=name) if name else one for one in SETS]
    backups: dict[Any, Any] = {SetsWanted("contoso"): BackupSets(CONTOSO, tuple(sets), has_more=False)}
    backups |= {SetWanted(one.id): BackupSetDetail(one, KINDS, ITEMS, has_more=False) for one in sets}
    return stage(*more, backups=backups | {ItemWanted(2): replace(ONE, found=sets[0])}, **changed)


def under(monitor: Monitor, name: str) -> str:
    """What stands under a field."""
    line = monitor.screen.query_one(f"#under-{name}", Static)
    return str(line.render()) if line.has_class("shown") else ""


def note(monitor: Monitor) -> str:
    return str(monitor.screen.query_one("#note", Static).render())


async def test_a_whole_set_is_planned_with_two_keys_and_the_restore_is_shown() -> None:
    state = with_sets()
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, *TO_FORM)
        assert isinstance(monitor.focused, Button)
        await pressed(pilot, "enter")
        assert calls(state) == [("plan", 12, "contoso", Scope(), "create", "")]
        assert (type(monitor.screen), asked(monitor)) == (RestoreScreen, RestoreWanted(1))
        await pressed(pilot, "escape")
        assert type(monitor.screen) is BackupSetsScreen


async def test_it_is_planned_as_it_was_chosen_and_typed() -> None:
    state = with_sets(members=BOTH)
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot)
        monitor.choose_tenant("contoso")
        await pressed(pilot, *TO_FORM)
        into = monitor.screen.query_one("#into", Select)
        assert into.value == "contoso", "the set's own comes first"
        into.focus()
        await pressed(pilot, "enter", "down", "enter", "tab", "enter", "down", "enter", "tab", *"ticket 4711")
        await pressed(pilot, "tab", "tab", "space", "ctrl+s")
        scope = Scope(("scripts",))
        assert calls(state) == [("plan", 12, "fabrikam", scope, "update", "ticket 4711")]


async def test_all_kinds_are_ticked_and_unticked_at_once_and_none_is_refused_at_its_field() -> None:
    state = with_sets()
    async with running(Monitor(state.backend()), (80, 24)) as pilot:
        monitor = await opened(pilot, *TO_FORM)
        kinds, every = monitor.screen.query_one(Checks), monitor.screen.query_one("#every", Check)
        assert kinds.chosen == ["compliance_policies", "scripts"]
        every.focus()
        await pressed(pilot, "space", "ctrl+s")
        assert (kinds.chosen, under(monitor, "kinds"), calls(state)) == ([], "choose at least one kind", [])
        assert monitor.focused is every
        await pressed(pilot, "tab", "space")
        assert (kinds.chosen, every.value, under(monitor, "kinds")) == (["compliance_policies"], False, "")
        await pressed(pilot, "tab", "space")
        assert every.value


async def test_of_several_tenants_none_is_chosen_for_a_set_of_another_one() -> None:
    members = (Membership(CONTOSO, Role.READONLY), Membership(FABRIKAM, Role.MANAGER))
    third = Membership(replace(FABRIKAM, id=3, slug="third", name="Third"), Role.OWNER)
    for more, chosen in (((), "fabrikam"), ((third,), Select.NULL)):
        state = with_sets(members=(*members, *more))
        async with running(Monitor(state.backend())) as pilot:
            monitor = await opened(pilot)
            monitor.navigator.plan_restore(COMPLETE)
            await polls(pilot)
            assert monitor.screen.query_one("#into", Select).value == chosen
            await pressed(pilot, "ctrl+s")
            assert bool(calls(state)) == (not more)
            assert not more or under(monitor, "into") == "choose the tenant that it is restored into"


@pytest.mark.parametrize(
    ("keys", "kind", "item"), [(("enter", "j"), BackupSetScreen, 2), (("enter", "j", "enter"), BackupItemScreen, 2)]
)
async def test_one_item_is_planned_alone(keys: tuple[str, ...], kind: type, item: int) -> None:
    state = with_sets()
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, "B", *keys)
        assert isinstance(monitor.screen, kind)
        await pressed(pilot, "r")
        assert isinstance(monitor.screen, RestoreForm)
        assert not monitor.screen.query_one(Checks).display
        await pressed(pilot, "ctrl+s")
        assert calls(state) == [("plan", 12, "contoso", Scope(None, (item,)), "create", "")]


async def test_from_an_item_one_comes_to_the_kinds_of_its_set() -> None:
    state = with_sets()
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, "B", "enter", "r")
        monitor.screen.query_one("#only", Check).focus()
        await pressed(pilot, "space")
        assert monitor.screen.query_one(Checks).display
        await pressed(pilot, "ctrl+s")
        assert calls(state) == [("plan", 12, "contoso", Scope(), "create", "")]


async def test_scope_and_mode_of_a_restore_are_changed() -> None:
    old = replace(CHECKED, restore=replace(CHECKED.restore, scope={"kinds": ["scripts"], "items": None}))
    state = with_sets((RestoreWanted(12), detail_of(old)))
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, "X", "j", "j", "enter", "e")
        assert "What came after the scope begins anew." in "".join(screen_lines(monitor))
        assert monitor.screen.query_one(Checks).chosen == ["scripts"]
        assert not monitor.screen.query("#reason")
        monitor.screen.query_one("#mode").focus()
        await pressed(pilot, "enter", "down", "enter", "ctrl+s")
        assert calls(state) == [("rescope", 12, Scope(("scripts",)), "update")]
        assert isinstance(monitor.screen, RestoreScreen)
        assert last_toast(monitor).startswith("Restore ")


async def test_what_the_store_refuses_is_shown_and_what_was_typed_stays() -> None:
    changes = Changes(refuses="these are 70,000 objects [/x]")
    state = with_sets(changes=changes)
    async with running(Monitor(state.backend()), (80, 24)) as pilot:
        monitor = await opened(pilot, *TO_FORM)
        monitor.screen.query_one("#reason").focus()
        await pressed(pilot, *"why", "enter")
        assert note(monitor).startswith("Not saved: these are 70,000 objects [/x]")
        changes.refuses = ""
        await pressed(pilot, "enter")
        assert calls(state) == [("plan", 12, "contoso", Scope(), "create", "why")]


async def test_esc_asks_before_what_was_typed_is_lost() -> None:
    async with running(Monitor(with_sets().backend())) as pilot:
        monitor = await opened(pilot, *TO_FORM, "escape")
        assert isinstance(monitor.screen, BackupSetsScreen), "nothing was typed"
        await pressed(pilot, "r")
        monitor.screen.query_one("#reason").focus()
        await pressed(pilot, "a", "escape")
        assert question(monitor) == "Leave? What was entered is lost."
        await pressed(pilot, "escape", "escape", "enter")
        assert isinstance(monitor.screen, BackupSetsScreen)


@pytest.mark.parametrize("role", [Role.READONLY, Role.OPERATOR])
async def test_who_may_restore_nowhere_is_told_which_role_it_wants(role: Role) -> None:
    state = with_sets(members=(Membership(CONTOSO, role),))
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, *TO_FORM)
        wants = "You may restore into no tenant: that wants the role manager."
        assert (type(monitor.screen), last_toast(monitor)) == (BackupSetsScreen, wants)
        for kind in (BackupSetScreen, BackupItemScreen):
            await pressed(pilot, "enter", *("j" * (kind is BackupSetScreen)), "r")
            assert (type(monitor.screen), last_toast(monitor)) == (kind, wants)


async def test_an_unfinished_set_is_not_restored() -> None:
    async with running(Monitor(with_sets().backend())) as pilot:
        monitor = await opened(pilot, "B", "j", "j", "r")
        assert last_toast(monitor) == "Backup set 15 is not finished."


async def test_a_set_that_is_gone_is_said() -> None:
    state = with_sets()
    del state.backups[SetWanted(12)]
    async with running(Monitor(state.backend())) as pilot:
        monitor = await opened(pilot, *TO_FORM)
        assert note(monitor) == "There is no backup set 12 any more, or it is not yours to see."
        await pressed(pilot, "ctrl+s")
        assert (under(monitor, "kinds"), calls(state)) == ("the backup set has not been read yet", [])


async def test_hostile_names_are_shown_harmlessly() -> None:
    members = (Membership(replace(CONTOSO, name=HOSTILE), Role.OWNER),)
    async with running(Monitor(with_sets(name=HOSTILE, members=members).backend())) as pilot:
        monitor = await opened(pilot, *TO_FORM)
        is_clean(monitor)
        await pressed(pilot, "escape", "enter", *"jjjj", "r")
        assert isinstance(monitor.screen, RestoreForm)
        is_clean(monitor)
        monitor.screen.query_one("#into", Select).focus()
        await pressed(pilot, "enter")
        is_clean(monitor)


def test_chosen_items_keep_the_kinds_that_narrowed_them() -> None:
    scope = json.loads(json.dumps(Scope(("scripts",), (3, 1)).as_json()))
    subject = Subject.of_restore(replace(CHECKED.restore, scope=scope))
    draft = Draft("contoso", "create", "", only=True, kinds=("scripts",))
    assert subject.items_name == "2 objects chosen before"
    assert draft.scope(subject, ("apps", "scripts")) == Scope(("scripts",), (1, 3))
    assert replace(draft, only=False).scope(subject, ("apps", "scripts")) == Scope(("scripts",))
    assert replace(draft, only=False, kinds=("apps", "scripts")).scope(subject, ("apps", "scripts")) == Scope()


# ---- pictures


def test_form(picture: Picture) -> None:
    assert picture(with_sets(members=BOTH), "B", "enter", "r", in_ascii=True)


def test_form_for_one_item(picture: Picture) -> None:
    assert picture(with_sets(), "B", "enter", "j", "r")


def test_form_that_changes_a_restore(picture: Picture) -> None:
    assert picture(with_sets(), "X", "j", "j", "enter", "e", sizes=((80, 24),))


def test_form_on_a_narrow_terminal(picture: Picture) -> None:
    state = with_sets(name=HOSTILE, changes=Changes(refuses="these are 70,000 objects"))
    assert picture(state, *TO_FORM, "ctrl+s", sizes=((40, 16), (60, 20)))
