"""Boundaries of `asyncio`, one file for each of its modules."""
