"""The round numbers of an axis."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screens.text import axis
from screens.text.axis import Scale


@pytest.mark.parametrize(
    ("largest", "top", "label", "middle"),
    [
        (0, 1, "1", ""), (1, 1, "1", ""), (2, 2, "2", "1"), (7, 8, "8", "4"), (120, 120, "120", "60"),
        (121, 160, "160", "80"), (1001, 1200, "1200", "600"), (1500, 1600, "1600", "800"), (1999, 2000, "2k", "1k"),
        (1_234_567, 1_600_000, "1600k", "800k"), (1_999_999, 2_000_000, "2M", "1M"),
    ],
)  # fmt: skip
def test_counts(largest: int, top: int, label: str, middle: str) -> None:
    assert axis.counts(largest) == Scale(top, label, middle)


@pytest.mark.parametrize(
    ("longest", "label", "middle"),
    [
        (0.0, "1 s", ""), (0.4, "1 s", ""), (1.5, "2 s", "1 s"), (29.0, "30 s", "15 s"), (59.0, "1m", "30 s"),
        (61.0, "2m", "1m"), (1300.0, "30m", "15m"), (3000.0, "1h", "30m"), (5 * 3600.0, "6h", "3h"), (80_000.0, "1d", "12h"),
        (100_000.0, "2d", "1d"), (1_000_000.0, "12d", "6d"),
    ],
)  # fmt: skip
def test_seconds(longest: float, label: str, middle: str) -> None:
    found = axis.seconds(longest)
    assert (found.top_label, found.middle_label) == (label, middle)


@given(st.integers(2, 10**12))
def test_an_axis_holds_its_largest_number_and_is_not_much_longer(largest: int) -> None:
    assert largest <= axis.counts(largest).top <= 2 * largest


@given(st.floats(1.01, 1e9))
def test_an_axis_of_seconds_holds_the_longest_and_is_not_much_longer(longest: float) -> None:
    assert longest <= axis.seconds(longest).top <= 2 * longest
