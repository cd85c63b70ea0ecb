"""The tabs of the list, each a set of outcomes."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from store.model.records import Outcome
from store.search.filter import RunFilter

#: The tabs of the list, with the outcomes that each shows. Active is what is not completed, and that is what pending means.
TABS: Final[dict[str, tuple[Outcome, ...]]] = {
    "All": (),
    "Active": (Outcome.PENDING,),
    "Succeeded": (Outcome.SUCCEEDED,),
    "Partial": (Outcome.PARTIALLY_SUCCEEDED,),
    "Failed": (Outcome.FAILED,),
}


def on_tab(wanted: RunFilter, tab: str) -> RunFilter | None:
    """The filter narrowed to what the tab shows; None when no run can be both."""
    if not TABS[tab]:
        return wanted
    both = tuple(outcome for outcome in TABS[tab] if not wanted.outcomes or outcome in wanted.outcomes)
    return replace(wanted, outcomes=both) if both else None
