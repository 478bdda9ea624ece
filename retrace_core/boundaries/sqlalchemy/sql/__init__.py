"""Boundaries of `sqlalchemy.sql`, one file for each of its modules."""
