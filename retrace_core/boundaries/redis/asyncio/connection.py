"""redis-py's connections for asyncio: hooks are in retrace_core/redis/connection_hooks.py."""

from __future__ import annotations

from redis.asyncio.connection import AbstractConnection

from retrace_core.redis.connection_hooks import asyncio_connection_boundary

BOUNDARY = asyncio_connection_boundary(AbstractConnection, "redis>=4.6")
