"""Boundaries of `cryptography.hazmat.primitives.ciphers`, one file for each of its modules."""
