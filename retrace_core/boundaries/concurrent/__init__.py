"""Boundaries of `concurrent`, one file for each of its modules."""
