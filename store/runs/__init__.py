"""Runs: the lifecycle with its effects, log lines, retry chains, and the detail of one run."""
