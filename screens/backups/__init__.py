"""The backups of a tenant: its sets, the items of a set, one item."""
