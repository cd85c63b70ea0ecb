"""`opsmon demo`: the screens on a temporary database with simulated tenants and past runs."""
