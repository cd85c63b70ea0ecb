"""What a user looked at last: it comes back when they open the screens again. Stored per user."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from store.db.engine import Database
from store.errors import FilterInvalid
from store.people import preferences
from store.search.filter import parse_line
from store.search.pages import Order
from store.search.saved_views import SavedView
from store.search.tabs import TABS

_NAME: Final = "last_view"
#: How instants are shown: as ages, by the clock of UTC, or by that of the terminal's zone; in the order of the key.
Times = Literal["age", "utc", "local"]
TIMES: Final[tuple[Times, ...]] = get_args(Times)
#: Filters that are kept, the newest first.
HISTORY: Final = 30
#: Operations that are kept as started.
STARTED: Final = 10
#: Characters of a filter that is kept.
_LONGEST: Final = 2000


@dataclass(frozen=True, slots=True)
class LastView:
    """The list as it was: `view` is its filter, tab and order, `tenant` the slug of the chosen one (None for all),
    `poll_seconds` the chosen rate and `times` how instants are shown (None for what the settings say), and `history` are earlier
    filters, the newest first.
    """

    view: SavedView = field(default_factory=lambda: SavedView(""))
    tenant: str | None = None
    poll_seconds: float | None = None
    history: tuple[str, ...] = ()
    times: Times | None = None
    #: The operations that the user started last, by type, the newest first.
    started: tuple[str, ...] = ()

    def with_filter(self, terms: str) -> tuple[str, ...]:
        """The history with these terms as its newest; "" changes nothing."""
        others = [one for one in self.history if one != terms]
        return tuple([terms, *others][:HISTORY]) if terms else self.history

    def with_started(self, type_: str) -> tuple[str, ...]:
        """The operations that were started last, with this one as the newest."""
        return tuple([type_, *(one for one in self.started if one != type_)][:STARTED])


def read(db: Database, user_id: int) -> LastView | None:
    """What the user looked at last; None if nothing is stored. What cannot be read, or is not valid any more, is left
    out. Raises DatabaseAway.
    """
    stored = preferences.read(db, user_id, _NAME)
    return _from_json(stored) if isinstance(stored, dict) and stored else None


def save(db: Database, user_id: int, last: LastView) -> None:
    """Store what the user looks at. Raises DatabaseAway."""
    view = last.view
    preferences.change(
        db,
        user_id,
        _NAME,
        lambda _: {
            "terms": view.terms,
            "tab": view.tab,
            "order": str(view.order),
            "tenant": last.tenant,
            "poll_seconds": last.poll_seconds,
            "history": list(last.history),
            "started": list(last.started),
            "times": last.times,
        },
    )


def _from_json(stored: dict[str, Any]) -> LastView:
    tab, order, tenant, rate = (stored.get(name) for name in ("tab", "order", "tenant", "poll_seconds"))
    times = stored.get("times")
    view = SavedView(
        "",
        _terms(stored.get("terms")),
        tab if tab in TABS else "All",
        Order(order) if order in set(Order) else Order.CREATED,
    )
    return LastView(
        view,
        tenant if isinstance(tenant, str) else None,
        float(rate) if isinstance(rate, int | float) and 0.1 <= rate <= 3600 else None,
        _lines(stored.get("history"))[:HISTORY],
        next((one for one in TIMES if one == times), None),
        started=_lines(stored.get("started"))[:STARTED],
    )


def _lines(stored: Any) -> tuple[str, ...]:
    return tuple(filter(None, map(_line, stored))) if isinstance(stored, list) else ()


def _line(stored: Any) -> str:
    return stored if isinstance(stored, str) and len(stored) <= _LONGEST and stored.isprintable() else ""


def _terms(stored: Any) -> str:
    """The stored terms; "" if they are no filter of this version."""
    try:
        parse_line(line := _line(stored))
    except FilterInvalid:
        return ""
    return line
