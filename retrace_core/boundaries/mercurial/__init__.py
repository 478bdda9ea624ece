"""Boundaries of `mercurial`, one file for each of its modules."""
