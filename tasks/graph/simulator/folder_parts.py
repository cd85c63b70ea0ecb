"""Parts of a policy that tools write into files of their own: its assignments, and its settings.

IntuneBackupAndRestore: `Settings Catalog/Name.json` and `Settings Catalog/Assignments/Name.json`, for apps and app
protection `Assignments/<id> - Name.json`; an administrative template is the list of its values alone.
IntuneManagement: `AdministrativeTemplates/Name.json` and `AdministrativeTemplates/Name_Settings.json`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tasks.graph.simulator.folder_kinds import kind_of, kind_of_folder

_SETTINGS: Final = "_settings"
#: Under which key a kind has what lies in a `_Settings` file.
_SETTINGS_KEYS: Final = {
    "administrative_templates": "definitionValues",
    "configuration_policies": "settings",
    "intents": "settings",
}
#: What Windows does not allow in a file's name; the tools write `_` instead.
_FORBIDDEN: Final = re.compile(r'["<>|:*?\\/\x00-\x1f]')
#: What newer versions of IntuneBackupAndRestore leave out of a file's name.
_LEFT_OUT: Final = re.compile(r"[^A-Za-z0-9\-_ .\[\]]")


@dataclass(slots=True)
class Policy:
    """A body of a known kind, and where it was found. `number`: its position among the bodies of its file."""

    kind: str
    path: Path
    number: int
    body: dict[str, Any]

    @property
    def given_id(self) -> str:
        """The id that the export gives it; empty if it gives none."""
        given = self.body.get("id")
        return str(given) if isinstance(given, str | int) and not isinstance(given, bool) else ""

    def names(self) -> set[str]:
        """How a file that belongs to it may be called, in lower case."""
        name = str(self.body.get("displayName") or self.body.get("name") or "")
        left = _LEFT_OUT.sub("", name).replace(" ", "_")
        found = {name, _FORBIDDEN.sub("_", name), left, self.path.stem}
        return {one.strip(" .").lower() for one in found} - {""}


def part_of(path: Path, loaded: object) -> bool:
    """Whether a file holds a part of a policy: by its place, and by what is in it."""
    return _is_assignments(path, loaded) or _is_settings(path, loaded)


def _items(loaded: object) -> list[Any]:
    """The elements of a list or a page; a single one as PowerShell writes it: without its list."""
    if isinstance(loaded, dict):
        loaded = loaded.get("value", loaded) if "target" not in loaded else loaded
    return loaded if isinstance(loaded, list) else [loaded]


def _is_assignments(path: Path, loaded: object) -> bool:
    items = _items(loaded)
    return (
        path.parent.name.lower() == "assignments"
        and bool(items)
        and all(isinstance(item, dict) and isinstance(item.get("target"), dict) for item in items)
    )


def _is_settings(path: Path, loaded: object) -> bool:
    if not path.stem.lower().endswith(_SETTINGS):
        return False
    if isinstance(loaded, dict) and "settings" in loaded and kind_of(loaded, Path(path.name)) is None:
        return not (loaded.get("displayName") or loaded.get("name"))
    return _are_values(loaded)


def _are_values(loaded: object) -> bool:
    """Whether these are values of an administrative template: they name a definition, and have no name."""
    items = _items(loaded)
    return bool(items) and all(
        isinstance(item, dict)
        and "enabled" in item
        and ("definition" in item or "definition@odata.bind" in item)
        and "displayName" not in item
        for item in items
    )


def template_of_values(path: Path, loaded: object) -> object:
    """The administrative template of a file that holds its values alone, named as the file is; else what was given."""
    if kind_of_folder(path) == "administrative_templates" and _are_values(loaded):
        return {"displayName": path.stem, "definitionValues": _items(loaded)}
    return loaded


def join(path: Path, loaded: object, policies: Sequence[Policy]) -> str:
    """Add a part to the policy that it belongs to. Returns why that cannot be, and an empty text if it can.

    A policy that has the part already keeps its own.
    """
    if _is_assignments(path, loaded):
        return _join_assignments(path, loaded, policies)
    stem = path.stem[: -len(_SETTINGS)].lower()
    keyed = [one for one in policies if one.kind in _SETTINGS_KEYS and one.path.parent == path.parent]
    fitting = [one for one in keyed if one.path.stem.lower() == stem]
    if len(fitting) != 1:
        return _misfit("settings", fitting)
    key = _SETTINGS_KEYS[fitting[0].kind]
    _fill(fitting[0], key, loaded["settings"] if isinstance(loaded, dict) and "settings" in loaded else _items(loaded))
    return ""


def _join_assignments(path: Path, loaded: object, policies: Sequence[Policy]) -> str:
    near = [one for one in policies if one.path.is_relative_to(path.parent.parent)]
    if (kind := kind_of_folder(path)) is not None:
        near = [one for one in near if one.kind == kind]
    stem = path.stem.lower()
    id_, _, rest = stem.partition(" - ")
    of: list[Callable[[Policy], bool]] = [
        lambda one: str(one.body.get("id") or "").lower() == id_,
        lambda one: stem.strip(" .") in one.names(),
        lambda one: bool(rest) and rest.strip(" .") in one.names(),
    ]
    fitting = next((found for test in of if (found := [one for one in near if test(one)])), [])
    if len(fitting) != 1:
        return _misfit("assignments", fitting)
    _fill(fitting[0], "assignments", _items(loaded))
    return ""


def _misfit(what: str, fitting: Sequence[Policy]) -> str:
    return f"{what} that fit {len(fitting)} policies" if fitting else f"{what} that fit no policy"


def _fill(policy: Policy, key: str, value: object) -> None:
    if not policy.body.get(key):
        policy.body = {**policy.body, key: value}
