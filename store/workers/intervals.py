"""How often workers beat, and from when on one is said to be silent."""

from __future__ import annotations


def beat_interval(beat_seconds: float, lost_after: float) -> float:
    """Seconds between two beats: whoever sets the one time alone must not make living workers look dead between two beats."""
    return min(beat_seconds, lost_after / 4)


def silent_after(beat_seconds: float, lost_after: float) -> float:
    """Seconds without a beat after which a worker has missed two: from then on it is said to be silent."""
    return 2 * beat_interval(beat_seconds, lost_after)
