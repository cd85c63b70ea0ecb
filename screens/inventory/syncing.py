"""How the screens of the inventory read a tenant anew."""

from __future__ import annotations

from screens.syncing import CanSync


class SyncsPolicies(CanSync):
    """A screen whose key starts Sync policies."""

    SYNC = "policy.sync"
    SYNC_LABEL = "Sync policies"
