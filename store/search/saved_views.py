"""Saved views: a filter, a tab and an order under a name. Stored per user; their order gives them the keys F1 to F9."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final

from store.db.engine import Database
from store.errors import InputInvalid
from store.people import preferences
from store.search.filter import RunFilter, parse_line
from store.search.pages import Order
from store.search.tabs import TABS

#: The maximum number of views: one for each key F1 to F9.
MOST: Final = 9
_NAME: Final = "views"
_LONGEST: Final = 40


@dataclass(frozen=True, slots=True)
class SavedView:
    """A view under its name, which is unique for its user."""

    name: str
    terms: str = ""
    tab: str = "All"
    order: Order = Order.CREATED

    @property
    def wanted(self) -> RunFilter:
        """The view's terms as a filter. Raises FilterInvalid if another version of the program saved terms unknown to this one."""
        return parse_line(self.terms)


def read(db: Database, user_id: int) -> tuple[SavedView, ...]:
    """The user's saved views. One that another version wrote and this one cannot read is left out. Raises DatabaseAway."""
    return _from_json(preferences.read(db, user_id, _NAME))


def save(db: Database, user_id: int, view: SavedView) -> tuple[SavedView, ...]:
    """Save the view, replacing one with that name. Raises InputInvalid if it has no name or there are too many."""
    name = view.name.strip()
    if not name or len(name) > _LONGEST or not name.isprintable():
        raise InputInvalid("a view needs a name", f"write 1 to {_LONGEST} letters")
    new = SavedView(name, view.terms, view.tab, view.order)
    _ = new.wanted

    def changed(kept: Any) -> Any:
        views = _from_json(kept)
        if name in [one.name for one in views]:
            return _as_json(new if one.name == name else one for one in views)
        if len(views) >= MOST:
            raise InputInvalid(f"there are {MOST} views already", "delete one first")
        return _as_json((*views, new))

    return _from_json(preferences.change(db, user_id, _NAME, changed))


def delete(db: Database, user_id: int, name: str) -> tuple[SavedView, ...]:
    """Delete the view with that name, if there is one."""

    def changed(kept: Any) -> Any:
        return _as_json(view for view in _from_json(kept) if view.name != name)

    return _from_json(preferences.change(db, user_id, _NAME, changed))


def _as_json(views: Iterable[SavedView]) -> Any:
    return {"views": [asdict(view) for view in views]}


def _from_json(kept: Any) -> tuple[SavedView, ...]:
    listed = kept.get("views") if isinstance(kept, dict) else None
    found: dict[str, SavedView] = {}
    for one in listed if isinstance(listed, list) else []:
        if view := _view(one):
            found.setdefault(view.name, view)
    return tuple(found.values())


def _view(one: Any) -> SavedView | None:
    try:
        name, terms, tab, order = one["name"], one["terms"], one["tab"], Order(one["order"])
    except (KeyError, TypeError, ValueError):
        return None
    # Names and terms are shown in the terminal and pasted into a filter line.
    texts = all(isinstance(text, str) and text.isprintable() for text in (name, terms))
    return SavedView(name, terms, tab, order) if texts and name and tab in tuple(TABS) else None
