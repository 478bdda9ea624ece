"""Boundaries of `lxml`, one file for each of its modules."""
