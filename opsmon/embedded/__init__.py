"""What a login has to itself: its database file, and the worker beside its screens."""
