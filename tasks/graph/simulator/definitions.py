"""The built-in definitions of administrative templates that the simulator knows; their ids are the same in every tenant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

#: What `$expand=definition` gives, by id.
DEFINITIONS: Final[Mapping[str, Mapping[str, Any]]] = {
    "d1": {
        "id": "d1",
        "classType": "machine",
        "displayName": "Home page",
        "categoryPath": "\\Simulated\\Browser",
        "policyType": "admxBacked",
    },
}
#: What `$expand=presentation` gives, by the ids of the definition and of the presentation.
PRESENTATIONS: Final[Mapping[tuple[str, str], Mapping[str, Any]]] = {("d1", "p1"): {"id": "p1", "label": "Home page"}}
