"""Boundaries of `importlib`, one file for each of its modules."""
