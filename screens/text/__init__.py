"""Text for people: cleaned, formatted and fitted to a width. Pure functions."""
