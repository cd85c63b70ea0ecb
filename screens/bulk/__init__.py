"""The screen of the bulk retry."""
