"""Boundaries of `mercurial.thirdparty`, one file for each of its modules."""
