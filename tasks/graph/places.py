"""Finds the places of a body that the table of kinds names (resource.py, Place): `a.b[].c`, or `**.value` at any depth.

A body is what a JSON reader gives: dicts, lists and plain values. A place that the body does not have is found nowhere;
no shape of a body is an error.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from typing import Any, Final

from tasks.graph.resource import GraphResource, Place, Reference
from tasks.graph.resources import ASSIGNED_TO

#: The id that stands for no object: no notification template in an action, no filter in an assignment
#: (Micke-K/IntuneManagement, EndpointManager.psm1; microsoft365dsc/Microsoft365DSC#4726).
NO_ID: Final = "00000000-0000-0000-0000-000000000000"


def find(body: Any, place: Place | str) -> Iterator[tuple[Any, Any]]:
    """Every occurrence of a place, in the order of the body, as (container, key): `container[key]` is the value.

    The container is a dict and the key its key; for a path that ends with `[]` it is a list and an index. The caller may
    replace the value, or delete the key of a dict, before it asks for the next occurrence.
    """
    if isinstance(place, str):
        yield from _walk(body, _steps(place))
        return
    of_type = place.of_type.lower()
    if of_type and place.path.startswith("**") and not _mentions(body, of_type):
        return
    for container, key in _walk(body, _steps(place.path)):
        if _counts(container, of_type, place.flag):
            yield container, key


def references_of(kind: GraphResource, body: Any) -> Iterator[tuple[Reference, str]]:
    """Every id of another object in a body, with the reference that it stands at. Ids that mean "none" are left out."""
    assigned = ASSIGNED_TO if kind.assign else ()
    for reference in (*kind.references, *assigned):
        for container, key in find(body, reference.place):
            value = container[key]
            for id_ in value if isinstance(value, list) else [value]:
                if isinstance(id_, str) and id_ not in ("", NO_ID):
                    yield reference, id_


def _mentions(body: Any, of_type: str) -> bool:
    """Whether the type may stand somewhere in the body. Most have none of it, and the encoder finds out much faster than a walk
    to every object.
    """
    try:
        return of_type in json.dumps(body).lower()
    except RecursionError:  # nested deeper than an encoder goes; the walk does not mind
        return True


@functools.cache
def _steps(path: str) -> tuple[str, ...]:
    """The path as keys, with `[]` and `**` as steps of their own."""
    return tuple(path.replace("[]", ".[]").split("."))


def _walk(value: Any, steps: tuple[str, ...]) -> Iterator[tuple[Any, Any]]:
    step, rest = steps[0], steps[1:]
    if step == "**":
        for inner in _objects(value):
            if rest[0] in inner:  # most have not: a generator for each would double the time
                yield from _walk(inner, rest)
    elif step == "[]":
        if isinstance(value, list):
            yield from _each(value, rest)
    elif isinstance(value, dict) and step in value:
        if rest:
            yield from _walk(value[step], rest)
        else:
            yield value, step


def _each(elements: list[Any], rest: tuple[str, ...]) -> Iterator[tuple[Any, Any]]:
    for index, element in enumerate(elements):
        if rest:
            yield from _walk(element, rest)
        else:
            yield elements, index


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every dict at any depth, `value` included. Looks into a dict only after the caller has dealt with it."""
    waiting = [value] if isinstance(value, dict | list) else []
    while waiting:
        one = waiting.pop()
        inner = one
        if isinstance(one, dict):
            yield one
            inner = list(one.values())
        # Most values are plain: they are not even put on the pile.
        waiting += [value for value in reversed(inner) if isinstance(value, dict | list)]


def _counts(container: Any, of_type: str, flag: str) -> bool:
    """Whether the object that has the key is of the place's type, and its flag is true."""
    if not isinstance(container, dict):
        return not (of_type or flag)
    if flag and container.get(flag) is not True:
        return False
    return not of_type or str(container.get("@odata.type", "")).lower().endswith(of_type)
