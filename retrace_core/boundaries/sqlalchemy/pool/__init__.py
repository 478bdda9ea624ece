"""Boundaries of `sqlalchemy.pool`, one file for each of its modules."""
