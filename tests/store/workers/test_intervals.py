"""From when on a worker is said to be silent."""

from __future__ import annotations

import pytest

from store.workers.intervals import beat_interval, silent_after


@pytest.mark.parametrize(
    ("beats", "lost_after", "every", "silent"), [(5.0, 30.0, 5.0, 10.0), (60.0, 30.0, 7.5, 15.0), (0.1, 0.5, 0.1, 0.2)]
)
def test_from_the_second_missed_beat_on(beats: float, lost_after: float, every: float, silent: float) -> None:
    assert beat_interval(beats, lost_after) == every
    assert silent_after(beats, lost_after) == silent < lost_after
