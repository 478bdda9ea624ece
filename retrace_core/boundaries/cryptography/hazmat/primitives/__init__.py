"""Boundaries of `cryptography.hazmat.primitives`, one file for each of its modules."""
