"""Connections: made in one place, bounded in time, with a driver's errors as ours."""
