"""The budget: never more requests in any stretch than allowed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tasks.graph.budget import Budget
from tests.support.properties import examples


@examples(60)
@given(
    allowed=st.integers(1, 5),
    asked=st.lists(st.tuples(st.floats(0, 3), st.integers(1, 4)), max_size=20),
)
def test_in_no_stretch_are_more_sent_than_allowed(allowed: int, asked: list[tuple[float, int]]) -> None:
    now = [0.0]
    sent: list[float] = []

    def sleep(seconds: float) -> None:
        now[0] += seconds + 1e-9

    budget = Budget(allowed, 2.0, clock=lambda: now[0], sleep=sleep)
    for pause, requests in asked:
        now[0] += pause
        for _ in range(requests):
            budget.spend()
            sent.append(now[0])
    assert len(sent) == sum(requests for _, requests in asked)
    for first, later in zip(sent, sent[allowed:], strict=False):
        assert later - first >= 2.0


def test_what_is_within_the_budget_does_not_wait() -> None:
    slept: list[float] = []
    budget = Budget(10, 20.0, clock=lambda: 0.0, sleep=slept.append)
    budget.spend(10)
    assert slept == []
