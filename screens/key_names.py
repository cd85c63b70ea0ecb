"""Names of the screens' key bindings, by which the settings rebind keys. Importing this module imports no screen."""

from __future__ import annotations

from typing import Final

#: The ids of the screens' bindings; a test compares this list with the bindings themselves.
KEY_NAMES: Final = frozenset(
    {
        *(f"tab_{n}" for n in range(1, 6)),
        *(f"view_{n}" for n in range(1, 10)),
        *["up", "down", "top", "bottom", "page_up", "page_down", "open", "next", "previous"],
        *["start", "retry", "edit_retry", "retry_all", "mark", "filter", "groups", "views", "order", "copy", "stop"],
        "join_twins",
        *["acknowledge", "watch", "audit", "older_events", "newer_events", "next_match", "previous_match"],
        *[
            "tenant",
            "notifications",
            "clear_inbox",
            "bulk",
            "older_job",
            "newer_job",
            "workers",
            "pause_queue",
            "view_run",
            "inventory",
            "directory",
            "backups",
            "add_policies",
            "its_run",
            "only_lacking",
            "difference",
            "version_before",
            "version_after",
        ],
        *["drift", "accept"],
        *["tenant_settings", "rbac_group", "forget_group", "sign_in"],
        *["restores", "preview", "skip_item", "skip_blocked", "choose_item", "discard_preview", "undo", "go_on"],
        *["plan_restore", "change_restore", "execute_restore"],
        *["only_blocked", "only_failed"],
        *["map_groups", "skip_group", "unresolve_group", "skip_unresolved", "find_groups"],
        *["schedules", "add_schedule", "edit_schedule", "switch_schedule", "remove_schedule"],
        *["card", "follow", "original", "attempt_before", "attempt_after", "fold"],
        *["pause", "poll_now", "faster", "slower", "redraw", "suspend", "help", "quit"],
    }
)
