"""Users and tenants: rights, administration, notifications and preferences."""
