"""Measurements, not tests: `make bench`, or `python -m tests.benchmarks [NAME ...]`. See __main__.py."""
