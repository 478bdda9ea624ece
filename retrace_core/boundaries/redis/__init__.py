"""Boundaries of redis-py, sync (`client`, `connection`) and asyncio."""
