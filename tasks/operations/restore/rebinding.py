"""Puts the ids of the target tenant into a body, in place of those of the source tenant."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any, Final

from tasks.graph.places import NO_ID, find
from tasks.graph.resource import GraphResource

#: What `new_id` answers for a group that is to be left out of a list of people who get a copy of a notification.
DROP: Final = "(left out)"
#: The end of the path of such a list. Only there is a group left out: elsewhere, as in the scope of a role, a list with one
#: group less can mean more.
_COPIES: Final = ".notificationMessageCCList"

NewId = Callable[[str, str], str | None]


def rebind(kind: GraphResource, body: Mapping[str, Any], new_id: NewId) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """A copy of a body with new ids at every place of the kind that refers to other objects, assignments aside.

    `new_id(kind or "groups", id)` gives the id in the target tenant, None if there is none, or DROP. The second value
    lists what has none, each (kind or "groups", id) once, in the order of the places: its old id still stands in the body,
    which must not be sent.
    """
    made = copy.deepcopy(dict(body))
    missing: dict[tuple[str, str], None] = {}
    for reference in kind.references:
        drops = reference.place.path.endswith(_COPIES)
        for container, key in find(made, reference.place):
            value = container[key]
            if isinstance(value, list):
                container[key] = _each_once([_new(reference.to, one, new_id, missing, drops) for one in value])
            else:
                container[key] = _new(reference.to, value, new_id, missing, drops=False)
    return made, list(missing)


def _new(to: str, id_: Any, new_id: NewId, missing: dict[tuple[str, str], None], drops: bool) -> Any:
    """The new id; the old value if it is no id or has no new one, which is noted in `missing`."""
    if not isinstance(id_, str) or id_ in ("", NO_ID):
        return id_
    found = new_id(to, id_)
    if found is None or (found == DROP and not drops):
        missing[to, id_] = None
        return id_
    return found


def _each_once(ids: list[Any]) -> list[Any]:
    """The list without what is left out; two old ids may have become the same new one."""
    made: list[Any] = []
    for id_ in ids:
        if id_ != DROP and id_ not in made:
            made.append(id_)
    return made
