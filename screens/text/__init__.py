"""Text for people: clean, formatted, as wide as there is room. Pure functions."""
