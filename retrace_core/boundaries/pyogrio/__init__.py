"""Boundaries of `pyogrio`, one file for each of its modules."""
