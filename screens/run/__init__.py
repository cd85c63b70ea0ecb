"""The screen of one run, with everything about it."""
