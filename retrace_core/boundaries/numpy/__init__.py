"""Boundaries of `numpy`, one file for each of its modules."""
