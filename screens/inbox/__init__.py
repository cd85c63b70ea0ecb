"""Notifications of the user's own runs."""
