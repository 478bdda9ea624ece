"""Boundaries of `websockets.asyncio`, one file for each of its modules."""
