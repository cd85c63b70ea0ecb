"""Database connections: made in one place, with time-outs, and with the drivers' errors translated into opsmon's."""
