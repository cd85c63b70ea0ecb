"""Which version of Graph a path lives in. Much of Intune exists in beta only."""

from __future__ import annotations

from typing import Final

#: Resources that v1.0 does not have. Read off Microsoft's reference; a path that is not here is taken from v1.0.
BETA_ONLY: Final = (
    "/deviceManagement/assignmentFilters",
    "/deviceManagement/configurationPolicies",
    "/deviceManagement/deviceHealthScripts",
    "/deviceManagement/deviceManagementScripts",
    "/deviceManagement/deviceShellScripts",
    "/deviceManagement/roleScopeTags",
)


def version_of(path: str) -> str:
    """`beta` or `v1.0` for a path that begins with a slash and names no version."""
    return (
        "beta" if any(path == known or path.startswith((f"{known}/", f"{known}(")) for known in BETA_ONLY) else "v1.0"
    )


def versioned(path: str) -> str:
    return f"/{version_of(path)}{path}"
