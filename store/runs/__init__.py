"""The life of a run: every change with its effects, and all that one run's screen shows."""
