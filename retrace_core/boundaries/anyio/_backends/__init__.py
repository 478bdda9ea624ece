"""Boundaries of `anyio._backends`, one file for each of its modules."""
