"""Groups that a search of the directory found, and how the search is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

#: The most groups that one search returns.
MOST: Final = 50
_SELECT: Final = "id,displayName,description,groupTypes,onPremisesSyncEnabled"


@dataclass(frozen=True, slots=True)
class FoundGroup:
    """A group as Graph returned it. Its texts are as they are in the directory: the screen cleans what it shows."""

    group_id: str
    name: str
    description: str | None
    #: As DirectoryGroup.types: some of `microsoft365`, `dynamic` and `synced`, else `assigned`.
    types: tuple[str, ...]


def query_for(text: str) -> dict[str, str]:
    """The query of a request for groups whose names have words that begin so.

    Inside the quotation marks of a clause, quotation marks and backslashes take a backslash before them. Source:
    microsoftgraph/microsoft-graph-docs-contrib, concepts/search-query-parameter.md.
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return {"$search": f'"displayName:{escaped}"', "$select": _SELECT, "$top": str(MOST)}


def groups_in(items: list[Mapping[str, Any]]) -> tuple[FoundGroup, ...]:
    """The groups of an answer; what has no id or no name is left out."""
    fits = [item for item in items if isinstance(item.get("id"), str) and isinstance(item.get("displayName"), str)]
    return tuple(_group(item) for item in fits[:MOST])


def _group(item: Mapping[str, Any]) -> FoundGroup:
    given = item.get("groupTypes")
    known = given if isinstance(given, list) else []
    kinds = {
        "microsoft365": "Unified" in known,
        "dynamic": "DynamicMembership" in known,
        "synced": item.get("onPremisesSyncEnabled") is True,
    }
    types = tuple(name for name, is_so in kinds.items() if is_so) or ("assigned",)
    description = item.get("description")
    return FoundGroup(item["id"], item["displayName"], description if isinstance(description, str) else None, types)
