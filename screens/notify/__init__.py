"""Unrequested news: toasts, terminal notifications and the terminal's title."""
