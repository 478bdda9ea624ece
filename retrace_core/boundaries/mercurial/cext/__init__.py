"""Boundaries of `mercurial.cext`, one file for each of its modules."""
