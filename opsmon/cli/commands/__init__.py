"""The commands, one module per command or group of related commands.

A command is a function of a Session and the parsed arguments that returns the exit code.
"""
