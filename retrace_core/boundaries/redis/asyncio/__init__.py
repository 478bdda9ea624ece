"""Boundaries of redis-py for asyncio."""
