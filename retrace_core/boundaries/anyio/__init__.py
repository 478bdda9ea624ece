"""Boundaries of `anyio`, one file for each of its modules."""
