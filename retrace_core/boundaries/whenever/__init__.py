"""Boundaries of whenever, one file for each of its modules."""
