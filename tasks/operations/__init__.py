"""The built-in operations, one module each. They are found through the same entry-point group as plug-ins."""
