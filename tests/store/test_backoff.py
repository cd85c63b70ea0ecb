"""How pauses grow."""

from __future__ import annotations

import random

from store.backoff import Backoff


def test_a_pause_is_twice_the_one_before_up_to_the_longest() -> None:
    assert [Backoff(0.5, 5.0).pause(attempt) for attempt in range(1, 7)] == [0.5, 1, 2, 4, 5, 5]


def test_there_is_none_before_the_first_try() -> None:
    assert Backoff(1.0, 60.0).pause(0) == 0
    assert Backoff(1.0, 60.0, jitter=lambda low, high: high + 1).pause(0) == 0


def test_it_grows_to_the_longest_and_no_further_however_often_it_fails() -> None:
    assert Backoff(1.0, 60.0).pause(10**9) == 60


def test_the_longest_holds_for_the_first_too() -> None:
    assert Backoff(10.0, 4.0).pause(1) == 4


def test_jitter_draws_from_nothing_to_the_whole_pause() -> None:
    drawn: list[tuple[float, float]] = []

    def half(low: float, high: float) -> float:
        drawn.append((low, high))
        return high / 2

    pauses = Backoff(1.0, 8.0, half)
    assert [pauses.pause(attempt) for attempt in (1, 2, 5)] == [0.5, 1, 4]
    assert drawn == [(0, 1), (0, 2), (0, 8)]
    assert all(0 <= Backoff(1.0, 8.0, random.uniform).pause(3) <= 4 for _ in range(100))
