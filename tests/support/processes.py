"""What tests ask of the processes of others."""

from __future__ import annotations

import psutil


def has_ended(pid: int) -> bool:
    """Whether the process has ended, also while it is asked for, or waits for its parent to take note."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
