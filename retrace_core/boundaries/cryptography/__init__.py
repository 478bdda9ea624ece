"""Boundaries of `cryptography`, one file for each of its modules."""
