"""What is written to the terminal: Textual's driver that sends only what changed, and escape sequences."""
