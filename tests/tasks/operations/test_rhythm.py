"""When a sync stores what it has read: many at once, but soon enough to be watched."""

from __future__ import annotations

from tasks.operations.tenant_graph import AT_LEAST_EVERY, CHUNK, Rhythm


def test_many_objects_are_stored_at_once_and_few_after_a_while() -> None:
    now = [100.0]
    rhythm = Rhythm(lambda: now[0])
    assert not rhythm.is_due(CHUNK - 1)
    assert rhythm.is_due(CHUNK)
    now[0] += AT_LEAST_EVERY - 0.1
    assert not rhythm.is_due(1)
    now[0] += 0.1
    assert not rhythm.is_due(0), "there is nothing to store"
    assert rhythm.is_due(1)
    assert not rhythm.is_due(1), "the time counts from the last one"
