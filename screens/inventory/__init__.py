"""The inventory of a tenant: its kinds, the policies of a kind, one policy."""
