"""Pictures of the audit trail."""

from __future__ import annotations

from store.search.audit_page import AuditPage
from tests.screens.audit.stage import FIRST, stage
from tests.screens.conftest import FakeBackend
from tests.screens.pictures import Picture


def test_the_trail(picture: Picture) -> None:
    assert picture(stage(), "U", in_ascii=True)


def test_a_hostile_event(picture: Picture) -> None:
    assert picture(stage(), "U", "G")


def test_on_a_narrow_terminal(picture: Picture) -> None:
    assert picture(stage(), "U", sizes=((40, 16), (60, 20)))


def test_the_filter(picture: Picture) -> None:
    assert picture(stage(), "U", "slash", *"by:bob", sizes=((80, 24),))


def test_nothing_matches(picture: Picture) -> None:
    assert picture(stage(), "U", "slash", *"run:7", "enter", sizes=((80, 24),))


def test_an_empty_trail(picture: Picture) -> None:
    assert picture(FakeBackend(audit={FIRST: AuditPage(FIRST)}), "U", sizes=((80, 24),))
