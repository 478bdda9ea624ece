"""Boundaries of `cryptography.hazmat`, one file for each of its modules."""
