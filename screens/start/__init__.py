"""From an operation to a run: the picker and the form."""
