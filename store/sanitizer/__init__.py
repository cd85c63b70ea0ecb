"""Makes text safe to store: without secrets, private data and terminal escape sequences."""
