"""The queue: messages that name a run, in and out, by Huey in the runs' own database."""
