"""Boundaries of `cryptography.hazmat.primitives.asymmetric`, one file for each of its modules."""
