"""`opsmon demo`: a throw-away database with simulated tenants and some history."""
