"""Boundaries of RQ, for those who enqueue jobs."""
