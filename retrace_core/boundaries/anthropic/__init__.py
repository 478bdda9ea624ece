"""Boundaries of `anthropic`, one file for each of its modules."""
