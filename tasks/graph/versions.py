"""Maps Graph paths to API versions.

What counts is not whether v1.0 has a resource but whether it has its fields: in v1.0 the target of an assignment has no
filter and a policy no scope tags (Microsoft's OpenAPI files, 2025-10). So everything of Intune goes through beta. Groups
and the rest of the directory are whole in v1.0.
"""

from __future__ import annotations

from typing import Final

_INTUNE: Final = ("/devicemanagement/", "/deviceappmanagement/")


def version_of(path: str) -> str:
    """The API version, `beta` or `v1.0`, of a path that starts with a slash and has no version."""
    return "beta" if f"{path}/".lower().startswith(_INTUNE) else "v1.0"


def versioned(path: str) -> str:
    """The path with its API version in front: `/beta/…` or `/v1.0/…`."""
    return f"/{version_of(path)}{path}"
