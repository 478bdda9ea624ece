"""Boundaries of `websockets`, one file for each of its modules."""
