"""Boundaries of `pyarrow`, one file for each of its modules."""
