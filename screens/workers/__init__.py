"""The screen of workers and queue."""
