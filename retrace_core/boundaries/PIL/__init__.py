"""Boundaries of `PIL`, one file for each of its modules."""
