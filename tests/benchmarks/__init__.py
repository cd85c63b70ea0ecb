"""Measurements, not tests: `make bench`, or `python -m tests.benchmarks [--tiny] [NAME ...]`. See __main__.py."""
