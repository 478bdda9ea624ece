"""Boundaries of valkey, a fork of redis-py, sync and asyncio."""
