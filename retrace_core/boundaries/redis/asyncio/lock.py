"""redis-py's asyncio lock: its hook, a clock, is in retrace_core/databases/redis/lock_clock.py."""

from __future__ import annotations

from redis.asyncio import lock

from retrace_core.databases.redis.lock_clock import lock_boundary

BOUNDARY = lock_boundary(lock, "redis>=4.3")
