"""Boundaries of `sqlalchemy.orm`, one file for each of its modules."""
