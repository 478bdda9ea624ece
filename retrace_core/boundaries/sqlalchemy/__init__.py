"""Boundaries of `sqlalchemy`, one file for each of its modules."""
