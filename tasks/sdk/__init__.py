"""For authors of operations: the decorator, the parameter form and the context of a run; and the registry that finds
operations.
"""
