"""valkey's asyncio lock: its hook, a clock, is in retrace_core/databases/redis/lock_clock.py."""

from __future__ import annotations

from valkey.asyncio import lock

from retrace_core.databases.redis.lock_clock import lock_boundary

BOUNDARY = lock_boundary(lock, "valkey>=6.1")
