"""Boundaries of `starlette`, one file for each of its modules."""
