"""Boundaries of valkey for asyncio."""
