"""valkey's connections: their hooks are in retrace_core/databases/redis/connection_hooks.py."""

from __future__ import annotations

from valkey.connection import AbstractConnection

from retrace_core.databases.redis.connection_hooks import connection_boundary

BOUNDARY = connection_boundary(AbstractConnection, "valkey>=6.1")
