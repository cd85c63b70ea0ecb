"""The tabs of the list, each a set of outcomes; previews are on the tab All only.

The tab Failed leaves out what is acknowledged, unless the filter says which of both it wants.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from store.model.records import Outcome
from store.search.filter import FilterStatus, RunFilter

ACTIVE_TAB: Final = "Active"
FAILED_TAB: Final = "Failed"
#: The tabs of the list and the outcomes of each; () is all. Active runs are those with the outcome pending, unless they are held.
TABS: Final[dict[str, tuple[Outcome, ...]]] = {
    "All": (),
    ACTIVE_TAB: (Outcome.PENDING,),
    "Succeeded": (Outcome.SUCCEEDED,),
    "Partial": (Outcome.PARTIALLY_SUCCEEDED,),
    FAILED_TAB: (Outcome.FAILED,),
}


def on_tab(wanted: RunFilter, tab: str) -> RunFilter | None:
    """The filter narrowed to the tab: to its outcomes, on Active without previews, on Failed without what is acknowledged.

    None if no run can match both.
    """
    if not TABS[tab]:
        return wanted
    both = tuple(outcome for outcome in TABS[tab] if not wanted.outcomes or outcome in wanted.outcomes)
    if not both:
        return None
    if tab == FAILED_TAB:
        return unacknowledged(replace(wanted, outcomes=both))
    if tab != ACTIVE_TAB:
        return replace(wanted, outcomes=both)
    without = replace(wanted.exclude, statuses=(*wanted.exclude.statuses, FilterStatus.PREVIEW))
    return replace(wanted, outcomes=both, exclude=without)


def unacknowledged(wanted: RunFilter) -> RunFilter:
    """The filter without what is acknowledged, unless it says itself which of both it wants."""
    if wanted.acknowledged is not None:
        return wanted
    return replace(wanted, exclude=replace(wanted.exclude, acked=True))
