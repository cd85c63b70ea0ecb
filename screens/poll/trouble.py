"""What is wrong with the house, in one line for every screen. Pure functions."""

from __future__ import annotations

from screens.text import format as fmt
from store.snapshot import Snapshot


def words(error: str, snapshot: Snapshot | None, seconds_without_worker: float, nobody_after: float) -> str:
    """All that is wrong, the worst first; nothing when nothing is.

    `error` is why the last poll has failed. What an older snapshot says of the house does not count then.
    """
    if error:
        return f"{error[:1].upper()}{error[1:]}" + (". What you see is the last that was read." if snapshot else ".")
    if snapshot is None:
        return ""
    found = []
    if snapshot.only_reads:
        found.append("The database only reads: nothing can be started or changed")
    if snapshot.paused:
        found.append(f"Queue PAUSED by {snapshot.paused.login} {fmt.since(snapshot.paused.paused_at, snapshot.at)}")
    if not snapshot.workers and seconds_without_worker >= nobody_after:
        found.append("No worker is alive: 'opsmon worker' starts one")
    return "   ".join(found)
