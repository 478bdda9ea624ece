"""redis-py's connections: their hooks are in retrace_core/redis/connection_hooks.py."""

from __future__ import annotations

from redis.connection import AbstractConnection

from retrace_core.redis.connection_hooks import connection_boundary

BOUNDARY = connection_boundary(AbstractConnection, "redis>=4.6")
