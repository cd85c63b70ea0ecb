"""The poller, and what it has brought."""
