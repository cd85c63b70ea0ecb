"""Maps Graph paths to API versions: much of Intune exists in beta only."""

from __future__ import annotations

from typing import Final

#: Resources missing from v1.0, according to Microsoft's reference. All other paths use v1.0.
BETA_ONLY: Final = (
    "/deviceManagement/assignmentFilters",
    "/deviceManagement/configurationPolicies",
    "/deviceManagement/deviceHealthScripts",
    "/deviceManagement/deviceManagementScripts",
    "/deviceManagement/deviceShellScripts",
    "/deviceManagement/roleScopeTags",
)


def version_of(path: str) -> str:
    """The API version, `beta` or `v1.0`, of a path that starts with a slash and has no version."""
    return (
        "beta" if any(path == known or path.startswith((f"{known}/", f"{known}(")) for known in BETA_ONLY) else "v1.0"
    )


def versioned(path: str) -> str:
    """The path with its API version in front: `/beta/…` or `/v1.0/…`."""
    return f"/{version_of(path)}{path}"
