"""Boundaries of `openai`, one file for each of its modules."""
