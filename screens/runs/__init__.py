"""The list of runs with its filter, saved views and failure groups."""
