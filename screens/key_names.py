"""Names of the screens' key bindings, by which the settings rebind keys, in the groups of the help. Importing this module
imports no screen.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

#: The ids of the screens' bindings by group; a test compares them with the bindings themselves.
KEY_GROUPS: Final = MappingProxyType(
    {
        "Move": frozenset(
            {
                *[
                    "up",
                    "down",
                    "top",
                    "bottom",
                    "page_up",
                    "page_down",
                    "open",
                    "next",
                    "previous",
                    "next_tab",
                    "next_match",
                ],
                *[
                    "previous_tab",
                    "previous_match",
                    "older_events",
                    "newer_events",
                    "older_job",
                    "newer_job",
                    "version_before",
                    "version_after",
                ],
                *["attempt_before", "attempt_after", *(f"tab_{n}" for n in range(1, 6))],
            }
        ),
        "Look": frozenset(
            {
                *["filter", "groups", "views", "order", *(f"view_{n}" for n in range(1, 10))],
                *["only_lacking", "only_blocked", "only_failed", "difference", "follow", "fold", "card"],
                *["tenant", "times", "pause", "poll_now", "faster", "slower", "redraw"],
            }
        ),
        "Act": frozenset(
            {
                *[
                    "acknowledge",
                    "watch",
                    "start",
                    "retry",
                    "edit_retry",
                    "retry_all",
                    "mark",
                    "copy",
                    "stop",
                    "join_twins",
                    "clear_inbox",
                ],
                *["pause_queue", "add_policies", "accept", "rbac_group", "forget_group", "sign_in"],
                *["preview", "skip_item", "skip_blocked", "choose_item", "discard_preview", "undo", "go_on"],
                *["plan_restore", "change_restore", "execute_restore"],
                *["skip_group", "unresolve_group", "skip_unresolved", "find_groups"],
                *["add_schedule", "edit_schedule", "switch_schedule", "remove_schedule"],
            }
        ),
        "Elsewhere": frozenset(
            {
                *["notifications", "bulk", "workers", "view_run", "its_run", "original", "palette"],
                *[
                    "inventory",
                    "directory",
                    "backups",
                    "drift",
                    "schedules",
                    "restores",
                    "tenant_settings",
                    "audit",
                    "map_groups",
                ],
                *["suspend", "help", "quit", "quit_anywhere"],
            }
        ),
    }
)
#: The ids of all bindings.
KEY_NAMES: Final = frozenset().union(*KEY_GROUPS.values())
