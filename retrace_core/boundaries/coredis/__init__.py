"""Boundaries of `coredis`, one file for each of its modules."""
