"""Drift: the reports of a tenant, and one with its findings, policy by policy."""
