"""Boundaries of `botocore.retries`, one file for each of its modules."""
