"""Carries out the work: dispatch, the queue, workers, operations and the Graph client. Imports `store`, and nothing above it."""
