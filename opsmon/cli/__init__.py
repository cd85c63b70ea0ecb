"""The command line: from arguments to a command, its output and its exit code."""
