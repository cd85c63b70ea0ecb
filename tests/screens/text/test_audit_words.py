"""What was done in words, and its details."""

from __future__ import annotations

import pytest

from screens.text import audit_words
from store.people import audit

_NAMES = {
    value
    for name, value in vars(audit).items()
    if name.isupper() and isinstance(value, str) and not name.startswith("_")
}


def test_every_action_has_words() -> None:
    assert set(audit_words.ACTIONS) == _NAMES
    assert len(set(audit_words.ACTIONS.values())) == len(_NAMES)


def test_an_action_of_another_version_has_its_own_name() -> None:
    assert audit_words.action("future.done") == "future.done"


@pytest.mark.parametrize(
    ("detail", "words"),
    [
        (None, ""),
        ({}, ""),
        ({"role": "operator", "before": None}, "role=operator before=-"),
        ({"kinds": ["scripts"], "enabled": True, "keep": 3}, 'kinds=["scripts"] enabled=true keep=3'),
        ({"of": {"name": "Bär"}}, 'of={"name": "Bär"}'),
        (["a"], '["a"]'),
        ("text", "text"),
    ],
)
def test_details_are_names_with_their_values(detail: object, words: str) -> None:
    assert audit_words.detail(detail) == words
