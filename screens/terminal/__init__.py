"""Output to the terminal: Textual's driver, sending only what changes, and escape sequences."""
