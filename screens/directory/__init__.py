"""The cached directory of a tenant: its groups, searched as one types, and one group."""
