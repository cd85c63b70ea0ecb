"""The retry of many runs."""
