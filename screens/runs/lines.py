"""Texts of the list of runs, beside its rows. Pure functions."""

from __future__ import annotations

import datetime as dt
from typing import Final

from textual.content import Content

from screens.runs.columns import remark
from screens.text import format as fmt
from screens.text.safe import clean, fit
from screens.text.times import AGES, TimeStyle
from store.model.records import Run, Status
from store.search.pages import Order, Page
from store.search.plan import SCAN
from store.search.saved_views import SavedView

GREETING: Final = " New here? ? shows all keys, s starts an operation, / filters the list."
STILL_READ: Final = "The list is still being read."
ORDERED: Final = {
    Order.CREATED: "The newest first.",
    Order.STARTED: f"What was started last comes first, of the newest {SCAN:,} runs.",
    Order.DURATION: f"What took longest comes first, of the newest {SCAN:,} runs.",
    Order.TYPE: f"By operation, of the newest {SCAN:,} runs.",
}


def more(page: Page | None, marked: int, order: Order, is_below_top: bool, times: TimeStyle = AGES) -> list[str]:
    """Further facts about the list: number of marked runs, order, and how far back it was scanned."""
    words = [f"{marked} marked"] if marked else []
    words += [] if order is Order.CREATED else [f"by {order}"]
    if page and page.scanned_to:
        words.append(f"looked back to {times.minute(page.scanned_to.created_at)}")
    return [*words, *(["g: newest"] if is_below_top else [])]


def nothing(page: Page | None, contradiction: str | None, tab: str, terms: str) -> str:
    """Why the list is empty; `page` is None before the first snapshot, `terms` are the filter's."""
    if page is None:
        return fmt.WAITING
    if contradiction:
        return contradiction
    if page.scanned_to:
        return "No match so far. Ctrl+d looks further back, esc clears the filter."
    if tab == "Failed" and not terms:
        return "Nothing failed that nobody has seen to. The filter acked finds the rest, 1 shows all."
    if terms or tab != "All":
        return "No run matches. Esc clears the filter, 1 shows all."
    return "No runs in the last 30 days. Press s to start one."


def matching(view: SavedView) -> str:
    """What the list shows, to name it in a question about all of its runs."""
    return (view.terms or "no filter") + ("" if view.tab == "All" else f" on the tab {view.tab}")


def under(run: Run, now: dt.datetime, silence: float | None, width: int, times: TimeStyle = AGES) -> Content:
    """The run under the cursor in full: what, where, how it stands, since when, by whom, and what went wrong."""
    then = run.completed_at if run.status is Status.COMPLETED else run.started_at or run.created_at
    silent = "" if silence is None else f", its worker silent for {fmt.span(silence)}"
    what = f" {run.id} {run.title}, {run.tenant}: {fmt.label(run).lower()}{silent}"
    since = f", {times.ago(then, now)}" if then else ""
    told = clean(f"{what}{since}, by {run.initiator_name}. ")
    left = max(0, width - len(told) - 1)
    return Content.assemble((fit(told, min(width, len(told))), "quiet"), fit(remark(run), left).rstrip())
