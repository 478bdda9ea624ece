"""redis-py's connections for asyncio: hooks are in databases/redis/connection_hooks.py."""

from __future__ import annotations

from redis.asyncio import connection

from retrace_core.databases.redis.connection_hooks import asyncio_connection_boundary

_CONNECTION = getattr(connection, "AbstractConnection", connection.Connection)  # from 4.6 on

BOUNDARY = asyncio_connection_boundary(_CONNECTION, "redis>=4.3")
