"""Boundaries of `cryptography.hazmat.primitives.serialization`, one for each module."""
