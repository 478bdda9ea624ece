"""redis-py's connections: their hooks are in retrace_core/databases/redis/connection_hooks.py."""

from __future__ import annotations

from redis import connection

from retrace_core.databases.redis.connection_hooks import connection_boundary

_CONNECTION = getattr(connection, "AbstractConnection", connection.Connection)  # from 4.6 on

BOUNDARY = connection_boundary(_CONNECTION, "redis>=4.3")
