"""Boundaries of `concurrent.futures`, one file for each of its modules."""
