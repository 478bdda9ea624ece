"""Boundaries of pymongo, sync and asyncio: its connections, its topology, its monitors."""
