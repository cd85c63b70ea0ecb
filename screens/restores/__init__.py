"""Restores into a tenant: their history, one restore with its items, one item."""
