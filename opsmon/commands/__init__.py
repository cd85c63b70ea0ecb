"""The commands, one module a group. Each takes the session and the parsed arguments and returns the exit code."""
