"""Workers and queue."""
