"""Boundaries of `aiohttp`, one file for each of its modules."""
