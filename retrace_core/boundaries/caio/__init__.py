"""Boundaries of `caio`, one file for each of its modules."""
