"""What the author of an operation touches: decorator, form and context of a run; and how operations are found."""
