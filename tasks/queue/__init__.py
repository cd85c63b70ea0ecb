"""The queue: messages that name a run, stored by Huey in the same database as the runs."""
