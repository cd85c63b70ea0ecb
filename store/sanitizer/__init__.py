"""Text fit to be stored: no secret, no private thing, nothing that a terminal obeys."""
