"""Boundaries of `cryptography.hazmat.primitives.kdf`, one file for each of its modules."""
