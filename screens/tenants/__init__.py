"""The choice of the tenant."""
