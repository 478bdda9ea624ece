"""Boundaries of `django`, one file for each of its modules."""
