"""The interval of heartbeats, and the time after which a worker is silent."""

from __future__ import annotations


def beat_interval(beat_seconds: float, lost_after: float) -> float:
    """Seconds between heartbeats: `beat_seconds`, but at most a quarter of `lost_after`.

    Somebody who changes only one of the two settings must not make workers that are alive look lost.
    """
    return min(beat_seconds, lost_after / 4)


def silent_after(beat_seconds: float, lost_after: float) -> float:
    """Seconds without a heartbeat after which a worker is silent: it has missed two."""
    return 2 * beat_interval(beat_seconds, lost_after)
