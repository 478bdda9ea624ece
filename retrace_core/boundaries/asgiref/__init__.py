"""Boundaries of `botocore`, one file for each of its modules."""
