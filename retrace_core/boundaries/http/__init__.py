"""Boundaries of `http`, one file for each of its modules."""
