"""Boundaries of `tables`, one file for each of its modules."""
