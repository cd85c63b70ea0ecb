"""Each esc goes one step back through the filters."""

from __future__ import annotations

from screens.runs.steps import ALL, Step, Steps
from store.search.saved_views import SavedView


def view(terms: str) -> SavedView:
    return SavedView("", terms)


def test_steps_are_gone_back_one_by_one() -> None:
    steps = Steps()
    steps.take(ALL)
    steps.take(view("a"), is_groups=True)
    assert steps.back(view("b")) == Step(view("a"), True)
    assert steps.back(view("a")) == Step(ALL)
    assert steps.back(ALL) is None


def test_a_step_that_would_show_the_same_is_passed_over() -> None:
    steps = Steps()
    steps.take(ALL)
    steps.take(view("a"))
    assert steps.back(view("a")) == Step(ALL)


def test_without_steps_the_filter_goes() -> None:
    shown = SavedView("", "mine", "Failed")
    assert Steps().back(shown) == Step(SavedView("", "", "Failed"))
    assert Steps().back(SavedView("", "", "Failed")) is None


def test_only_so_many_are_remembered() -> None:
    steps = Steps()
    for number in range(200):
        steps.take(view(str(number)))
    assert len([1 for _ in range(200) if steps._taken and steps.back(view("x"))]) == 50
