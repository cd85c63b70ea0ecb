"""The embedded set-up of a single login: its own database file, and the worker beside its screens."""
