"""The command line: parses arguments, calls a command, and turns its result into output and an exit code."""
