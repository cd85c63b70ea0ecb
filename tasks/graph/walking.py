"""Goes through a body and says where each value stands, as differences.py would: `settings[wifi_psk].simpleSettingValue`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tasks.graph.pairing import pair
from tasks.graph.paths import Steps, under

#: What an element that stands for its `settingInstance` may have beside it.
_BESIDE: Final = frozenset({"settingInstance", "id", "@odata.type"})


def values_of(body: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every value at any depth with its path, objects and lists included, in the order of the body. The body itself has the
    empty path.

    Raises RecursionError for a body that nests hundreds of levels deep, as a JSON reader does.
    """
    return _from("", body)


def _from(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    yield path, value
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _from(under(path, key), inner)
    elif isinstance(value, list):
        steps = Steps(pair(value, value))
        for index, element in enumerate(value):
            yield from _from(path + steps.after(index), _unwrapped(element))


def _unwrapped(element: Any) -> Any:
    """The setting of an element that only wraps one."""
    if isinstance(element, dict) and isinstance(element.get("settingInstance"), dict) and element.keys() <= _BESIDE:
        return element["settingInstance"]
    return element
