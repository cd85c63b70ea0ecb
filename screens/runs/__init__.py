"""The list of runs, its filter, its saved views and its groups of failures."""
