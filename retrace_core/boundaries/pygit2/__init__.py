"""Boundaries of `pygit2`, one file for each of its modules."""
