"""The tabs of the list, each a set of outcomes."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from store.model.records import Outcome
from store.search.filter import RunFilter

#: The tabs of the list and the outcomes of each; () is all. Active runs are those with the outcome pending.
TABS: Final[dict[str, tuple[Outcome, ...]]] = {
    "All": (),
    "Active": (Outcome.PENDING,),
    "Succeeded": (Outcome.SUCCEEDED,),
    "Partial": (Outcome.PARTIALLY_SUCCEEDED,),
    "Failed": (Outcome.FAILED,),
}


def on_tab(wanted: RunFilter, tab: str) -> RunFilter | None:
    """The filter narrowed to the tab's outcomes; None if no run can match both."""
    if not TABS[tab]:
        return wanted
    both = tuple(outcome for outcome in TABS[tab] if not wanted.outcomes or outcome in wanted.outcomes)
    return replace(wanted, outcomes=both) if both else None
