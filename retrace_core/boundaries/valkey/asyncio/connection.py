"""valkey's connections for asyncio: hooks are in databases/redis/connection_hooks.py."""

from __future__ import annotations

from valkey.asyncio.connection import AbstractConnection

from retrace_core.databases.redis.connection_hooks import asyncio_connection_boundary

BOUNDARY = asyncio_connection_boundary(AbstractConnection, "valkey>=6.1")
