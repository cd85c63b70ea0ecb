"""Starting a run: choose an operation, then fill in its form."""
